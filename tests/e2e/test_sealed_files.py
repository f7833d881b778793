"""What an account stores is sealed where it asks for it, and gone for good with its key."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_stored_files import (
    ACCOUNTS,
    DELETED,
    V1,
    Owner,
    begun_upload,
    mine,
    new_account,
    wait_for,
)
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

SECRET = b"the quick brown lapis lazuli jumps over"
CONTENT = SECRET * 5_000
SEALED = {"properties": {"encryption": {"keySource": "Microsoft.CognitiveServices"}}}


def content_of(owner: Owner, file_id: str) -> bytes:
    """What the server tells of a file."""
    return owner.ask("GET", f"{V1}/files/{file_id}/content").content


def places_with(folder: Path, words: bytes) -> list[str]:
    """Files that hold these bytes: databases, their logs, stored bytes."""
    found = [each for each in folder.rglob("*") if each.is_file()]
    return [each.name for each in found if words in each.read_bytes()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that seals what accounts ask for."""
    yield from serving(tmp_path_factory.mktemp("sealed"), SIMULATED)


def sealed_account(server: Server, name: str) -> Owner:
    """One that asks for it."""
    owner = new_account(server, name)
    assert arm(server, "PATCH", f"{ACCOUNTS}/{name}", SEALED).is_success
    return owner


def test_nothing_lies_in_the_clear(server: Server) -> None:
    """Files, uploads and their names: none of it is in any file of the folder; all of it opens."""
    owner = sealed_account(server, "veiled")
    form = {"purpose": "assistants"}
    name = "payroll-of-lapis.txt"
    made = owner.ask("POST", f"{V1}/files", data=form, files={"file": (name, CONTENT)}).json()
    upload = begun_upload(owner, CONTENT)
    part = owner.ask("POST", f"{V1}{upload}/parts", files={"data": ("a", CONTENT)}).json()["id"]
    done = owner.ask("POST", f"{V1}{upload}/complete", json={"part_ids": [part]}).json()
    begun_upload(owner, SECRET)
    for file_id in (made["id"], done["file"]["id"]):
        assert content_of(owner, file_id) == CONTENT
    assert [each["filename"] for each in owner.ask("GET", f"{V1}/files").json()["data"]][1] == name
    for words in (SECRET, b"payroll-of-lapis"):
        assert places_with(server.home, words) == []
    mine(server).store(CONTENT)  # of an account that does not ask
    assert len(places_with(server.home, SECRET)) == 1


def test_what_was_there_before_stays_readable(server: Server) -> None:
    """And what was sealed stays so, when the account asks no more."""
    owner = new_account(server, "later")
    before = owner.store(CONTENT)
    assert arm(server, "PATCH", f"{ACCOUNTS}/later", SEALED).is_success
    after = owner.store(CONTENT)
    assert content_of(owner, before) == content_of(owner, after) == CONTENT


def test_bytes_that_were_changed_are_not_told(server: Server) -> None:
    """Cut off, swapped with another file's or changed at their beginning."""
    owner = sealed_account(server, "tampered")
    folder = server.home / "files"
    kept = {each.name for each in folder.iterdir()}
    first = owner.store(CONTENT)
    one = next(each for each in folder.iterdir() if each.name not in kept)
    kept.add(one.name)
    owner.store(CONTENT)
    two = next(each for each in folder.iterdir() if each.name not in kept)
    whole = one.read_bytes()
    for damaged in (whole[:100], two.read_bytes(), b"x" + whole[1:]):
        one.write_bytes(damaged)
        told = owner.ask("GET", f"{V1}/files/{first}/content")
        assert told.status_code == 500
        assert "was changed on disk" in told.json()["error"]["message"]
    one.write_bytes(whole)
    assert content_of(owner, first) == CONTENT


def test_purging_the_account_destroys_it(tmp_path: Path) -> None:
    """Even with a copy of the database and the bytes from before, nobody opens them again."""
    home, copies = tmp_path / "home", tmp_path / "copies"
    stored = ("objects.db", "objects.db-wal", "objects.db-shm", "files")
    with stopped(start_server(home, SIMULATED)) as server:
        file_id = sealed_account(server, "brief").store(CONTENT)
        server.kill()
    copies.mkdir()
    for name in stored:
        if (home / name).is_dir():
            shutil.copytree(home / name, copies / name)
        elif (home / name).exists():
            shutil.copy(home / name, copies / name)
    with stopped(start_server(home, SIMULATED)) as server:
        arm(server, "DELETE", f"{ACCOUNTS}/brief")
        wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 200)
        arm(server, "DELETE", f"{DELETED}/brief")
        wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 404)
        assert list((home / "files").iterdir()) == []
        sealed_account(server, "brief")
        server.kill()
    for name in stored:
        if (home / name).is_dir():
            shutil.rmtree(home / name)
        (home / name).unlink(missing_ok=True)
        if (copies / name).is_dir():
            shutil.copytree(copies / name, home / name)
        elif (copies / name).exists():
            shutil.copy(copies / name, home / name)
    with stopped(start_server(home, SIMULATED)) as server:
        key = arm(server, "POST", f"{ACCOUNTS}/brief/listKeys").json()["key1"]
        told = Owner(f"{server.endpoint}/brief", key).ask("GET", f"{V1}/files/{file_id}/content")
        assert told.status_code == 500
        assert "can't be opened" in told.json()["error"]["message"]
        assert places_with(home, SECRET) == []


def test_without_its_owners_key_nobody_opens_it(tmp_path: Path) -> None:
    """The server starts all the same, and what was stored is there when the key is."""
    key_file = tmp_path / "vault" / "team" / "v1"
    key_file.parent.mkdir(parents=True)
    key_file.write_text("5a" * 32)
    settings = f"""{SIMULATED}
[key_vaults.company]
uri = "https://vault.example/"
folder = "{tmp_path / "vault"}"
"""
    vault = {"keyVaultUri": "https://vault.example", "keyName": "team"}
    owned = {"encryption": {"keySource": "Microsoft.KeyVault", "keyVaultProperties": vault}}
    home = tmp_path / "home"
    with stopped(start_server(home, settings)) as server:
        owner = new_account(server, "owned")
        assert arm(server, "PATCH", f"{ACCOUNTS}/owned", {"properties": owned}).is_success
        file_id = owner.store(CONTENT)
        server.kill()
    key_file.unlink()
    with stopped(start_server(home, settings)) as server:
        owner = Owner(f"{server.endpoint}/owned", owner.key)
        told = owner.ask("GET", f"{V1}/files/{file_id}/content")
        assert told.json()["error"]["code"] == "KeyVaultEncryptionKeyNotFound"
        assert mine(server).ids() == []
        key_file.write_text("5a" * 32)
        assert arm(server, "PATCH", f"{ACCOUNTS}/owned", {"tags": {"back": "yes"}}).is_success
        assert content_of(owner, file_id) == CONTENT
