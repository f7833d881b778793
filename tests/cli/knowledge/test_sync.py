"""`linarite knowledge sync` against a real server."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from openai import OpenAI

from tests.cli.terminal import Terminal, linarite
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.serving import Server

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that makes vectors."""
    yield from serving(tmp_path_factory.mktemp("knowledge"), SIMULATED)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    """The official client, to see what came of it."""
    base_url = f"{server.endpoint}/openai/v1/"
    with OpenAI(base_url=base_url, api_key=server.key, max_retries=0) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents, and what is none."""
    root = tmp_path / "handbook"
    (root / "rules").mkdir(parents=True)
    (root / "parcels.md").write_text("Parcels are sent on Mondays.")
    (root / "rules" / "leave.md").write_text("Everybody has 30 days of holiday.")
    (root / "empty.md").touch()
    (root / "broken.pdf").write_bytes(b"%PDF-1.7 and no more")
    (root / ".hidden.md").write_text("Nobody sees this.")
    (root / "~$parcels.md").write_text("An editor's.")
    (root / "elsewhere.md").symlink_to("/etc/hostname")
    return root


def synced(server: Server, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """One sync with a store of the test's own."""
    store = f"store of {folder.parent.name}"
    return linarite(server.home, "knowledge", "sync", str(folder), "--store", store, *more)


def held(client: OpenAI, folder: Path) -> dict[str, Any]:
    """Files of that store that have come, by their paths."""
    name = f"store of {folder.parent.name}"
    store = next(each for each in client.vector_stores.list() if each.name == name)
    files = list(client.vector_stores.files.list(store.id))
    found = {str((each.attributes or {})["filepath"]): each for each in files}
    assert len(found) == len(files)
    return {path: each for path, each in found.items() if each.status == "completed"}


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds."""
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_store_follows_its_folder(server: Server, client: OpenAI, folder: Path) -> None:
    """New, changed by content, deleted; files that can't be read are named, and stop nothing."""
    first = synced(server, folder)
    assert first.returncode == 1
    assert "2 added, 0 changed, 0 removed, 0 unchanged, 2 not read" in first.stdout
    assert "empty.md: is empty" in first.stderr
    assert "broken.pdf: " in first.stderr
    before = held(client, folder)
    assert set(before) == {"parcels.md", "rules/leave.md"}
    assert (before["rules/leave.md"].attributes or {})["sync_source"] == "handbook"

    (folder / "empty.md").unlink()
    (folder / "broken.pdf").unlink()
    os.utime(folder / "parcels.md", (1, 1))  # touched: its content is what counts
    (folder / "rules" / "leave.md").write_text("Everybody has 31 days of holiday.")
    (folder / "new.md").write_text("The canteen opens at noon.")
    dry = synced(server, folder, "--dry-run")
    assert dry.stdout.splitlines()[:3] == ["+ new.md", "~ rules/leave.md", "- broken.pdf"]
    assert set(held(client, folder)) == set(before)
    second = synced(server, folder, "-o", "json")
    assert second.returncode == 0, second.stderr
    told = json.loads(second.stdout)
    assert told.pop("store").startswith("vs_")
    assert told == {
        "added": ["new.md"],
        "changed": ["rules/leave.md"],
        "removed": ["broken.pdf"],
        "unchanged": 1,
        "problems": [],
    }
    after = held(client, folder)
    assert set(after) == {*before, "new.md"}
    assert after["parcels.md"].id == before["parcels.md"].id
    gone = {each.id for each in client.files.list()}
    assert before["rules/leave.md"].id not in gone
    third = synced(server, folder)
    assert "0 added, 0 changed, 0 removed, 3 unchanged, 0 not read" in third.stdout


def test_what_was_broken_off_goes_on(server: Server, client: OpenAI, folder: Path) -> None:
    """Killed in the middle: what has come is not brought again, and nothing is there twice."""
    for at in range(20):
        (folder / f"note-{at}.md").write_text(f"Note number {at} is about the letter {at}.")
    store = f"store of {folder.parent.name}"
    arguments = ("knowledge", "sync", str(folder), "--store", store)
    with Terminal(server.home, *arguments) as terminal:
        terminal.wait_for("/23")
        wait_for(lambda: store in [each.name for each in client.vector_stores.list()])
        wait_for(lambda: len(held(client, folder)) > 2)
        terminal.process.kill()
    came = {path: each.id for path, each in held(client, folder).items()}
    again = json.loads(synced(server, folder, "-o", "json").stdout)
    assert again["changed"] == []
    assert not {*again["added"]} & {*came}
    whole = held(client, folder)
    assert len(whole) == 22
    assert {path: whole[path].id for path in came} == came


def test_other_files_of_a_store_stay(server: Server, client: OpenAI, folder: Path) -> None:
    """Those of another folder, and those that somebody has put there."""
    (folder / "broken.pdf").unlink()
    (folder / "empty.md").unlink()
    assert synced(server, folder).returncode == 0
    other = folder.parent / "other"
    other.mkdir()
    (other / "parcels.md").write_text("Parcels of another folder.")
    store = f"store of {folder.parent.name}"
    assert linarite(server.home, "knowledge", "sync", str(other), "--store", store).returncode == 0
    (other / "parcels.md").unlink()
    done = linarite(server.home, "knowledge", "sync", str(other), "--store", store)
    assert "0 added, 0 changed, 1 removed" in done.stdout
    assert set(held(client, folder)) == {"parcels.md", "rules/leave.md"}
    some = synced(server, folder, "--include", "*.md", "--exclude", "rules/*")
    assert "0 added, 0 changed, 1 removed, 1 unchanged" in some.stdout


def test_changes_are_followed(server: Server, client: OpenAI, folder: Path) -> None:
    """Until Ctrl-C."""
    (folder / "broken.pdf").unlink()
    store = f"store of {folder.parent.name}"
    with Terminal(
        server.home, "knowledge", "sync", str(folder), "--store", store, "--watch"
    ) as terminal:
        terminal.wait_for("2 added")
        (folder / "parcels.md").write_text("Parcels are sent on Fridays.")
        terminal.wait_for("1 changed")
        terminal.type("\x03")
        assert terminal.wait_for_end() == 130
    assert len(held(client, folder)) == 2


def test_an_account_that_lets_nobody_in(server: Server, folder: Path) -> None:
    """Is told once; a key or a token is needed elsewhere."""
    told = ("knowledge", "sync", str(folder), "--endpoint", server.endpoint)
    without = linarite(server.home, *told)
    assert "--token env:NAME" in without.stderr
    wrong = linarite(server.home, *told, "--key", "env:KEY", KEY="x" * 32)
    assert wrong.returncode == 1
    assert wrong.stderr.count("Access denied") == 1
    token = linarite(server.home, *told, "--token", "env:TOKEN", TOKEN="a.b.c")
    assert token.returncode == 1
    absent = linarite(server.home, "knowledge", "sync", str(folder / "absent"))
    assert "is no folder" in absent.stderr
