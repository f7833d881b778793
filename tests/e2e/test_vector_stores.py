"""Vector stores over a death of the server, and what goes with an account and with time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_stored_files import ACCOUNTS, DELETED, V1, mine, new_account, wait_for
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.test_stored_files import Owner
    from tests.serving import Server

FILES = 24
TEXT = b"The parcel is blue and goes to number %d. " * 400


def asked(owner: Owner, method: str, path: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx
    """What is answered; it must go well."""
    told = owner.ask(method, f"{V1}/vector_stores{path}", **more)
    assert told.is_success, told.text
    return told.json()


def filling(owner: Owner, count: int = FILES) -> str:
    """The id of a store into which files are coming."""
    store = asked(owner, "POST", "", json={})["id"]
    ids = [owner.store(TEXT.replace(b"%d", b"%d" % each)) for each in range(count)]
    asked(owner, "POST", f"/{store}/file_batches", json={"file_ids": ids})
    return str(store)


def counts(owner: Owner, store: str) -> dict[str, int]:
    """How its files stand."""
    return asked(owner, "GET", f"/{store}")["file_counts"]


@pytest.mark.parametrize(("after", "sealed"), [(1, False), (FILES // 2, True)])
def test_files_come_in_over_a_killed_server(tmp_path: Path, after: int, sealed: bool) -> None:
    """Every file ends, and no chunk is there twice; the text comes back whole.

    Files that were waiting when sealing was switched on come in sealed, and those before them are.
    """
    server = start_server(tmp_path, SIMULATED)
    store = filling(mine(server))
    wait_for(lambda: counts(mine(server), store)["completed"] >= after)
    server.kill()
    settings = SIMULATED + '\n[files]\nsealed = "always"\n' if sealed else SIMULATED
    with stopped(start_server(tmp_path, settings)) as again:
        owner = mine(again)
        wait_for(lambda: counts(owner, store)["in_progress"] == 0)
        assert counts(owner, store)["completed"] == FILES
        listed = asked(owner, "GET", f"/{store}/files", params={"limit": 100})["data"]
        assert len(listed) == FILES
        assert len({each["usage_bytes"] for each in listed}) <= 2  # one digit more, or none
        content = asked(owner, "GET", f"/{store}/files/{listed[0]['id']}/content")["data"]
        assert content[0]["text"].encode() == TEXT.replace(b"%d", b"%d" % (FILES - 1))
        found = asked(owner, "POST", f"/{store}/search", json={"query": "parcel blue"})["data"]
        assert found
    (kept,) = (tmp_path / "vector_stores").glob("*.vectors")
    if sealed:
        for each in kept.parent.iterdir():
            assert b"parcel" not in each.read_bytes(), each.name
        return
    with closing(sqlite3.connect(kept)) as database:
        twice = "SELECT count(*) FROM chunks GROUP BY file, start HAVING count(*) > 1"
        assert database.execute(twice).fetchall() == []
        compared = "SELECT (SELECT count(*) FROM chunks) - (SELECT sum(size) FROM segments)"
        assert database.execute(compared).fetchone() == (0,)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for what follows."""
    yield from serving(tmp_path_factory.mktemp("vector-stores"), SIMULATED)


EMBEDDING = {
    "sku": {"name": "Standard", "capacity": 1000},
    "properties": {"model": {"format": "OpenAI", "name": "text-embedding-3-small", "version": "1"}},
}


def test_an_account_without_an_embedding_model_is_told_what_to_do(server: Server) -> None:
    """By the setting's name."""
    told = new_account(server, "bare").ask("POST", f"{V1}/vector_stores", json={})
    assert told.status_code == 400
    assert "vector_stores.embedding_deployment" in told.json()["error"]["message"]


def test_a_purged_account_takes_its_stores_along(server: Server) -> None:
    """The file with the texts is gone when the purge is answered."""
    owner = new_account(server, "brief")
    path = f"{ACCOUNTS}/brief"
    made = arm(server, "PUT", f"{path}/deployments/embed", EMBEDDING)
    assert made.status_code in {200, 201}, made.text
    wait_for(
        lambda: (
            arm(server, "GET", f"{path}/deployments/embed").json()["properties"][
                "provisioningState"
            ]
            == "Succeeded"
        )
    )
    store = filling(owner, 2)
    kept = server.home / "vector_stores" / f"{store}.vectors"
    wait_for(lambda: counts(owner, store)["completed"] == 2)
    assert kept.exists()
    arm(server, "DELETE", path)
    wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 200)
    assert kept.exists()
    arm(server, "DELETE", f"{DELETED}/brief")
    wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 404)
    wait_for(lambda: not kept.exists())
