"""What is held of an account is reported, and what goes leaves a proof in the audit log."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.test_stored_files import (
    ACCOUNTS,
    DELETED,
    V1,
    begun_upload,
    mine,
    new_account,
    stored_completion,
    wait_for,
)
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, clean_environment, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SETTINGS = f"{SIMULATED}\n[stored_completions]\ndays = 30\n"
EVENTS = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Linarite.Operations/auditEvents"
)
REMOVES = "Linarite.Operations/storedObjects/delete"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that keeps completions for a month."""
    yield from serving(tmp_path_factory.mktemp("held"), SETTINGS)


def reported(server: Server, *arguments: str) -> str:
    """What the command says."""
    done = subprocess.run(
        [sys.executable, "-m", "linarite.main", "data", "report", *arguments],
        env=clean_environment() | {"LINARITE_HOME": str(server.home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout or done.stderr


def asked(server: Server, path: str, **query: str) -> httpx.Response:
    """What the control plane answers to one of Linarite's own resources."""
    return httpx.get(
        server.endpoint + path,
        params={"api-version": "2026-11-01"} | query,
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
    )


def removals(server: Server, account: str) -> list[dict[str, Any]]:
    """What the audit log proves of an account, the newest first."""
    told = asked(server, EVENTS, under=f"{ACCOUNTS}/{account}")
    assert told.status_code == 200, told.text
    return [each for each in told.json()["value"] if each["action"] == REMOVES]


def test_it_tells_what_is_held(server: Server) -> None:
    """Of each kind how much, since when and until when; for people and for programs."""
    owner = mine(server)
    owner.store(b"x" * 100_000)
    owner.store(b"y" * 50_000)
    stored_completion(owner)
    begun_upload(owner)
    held = {each["name"]: each["properties"] for each in json.loads(reported(server, "-o", "json"))}
    assert {"file", "stored_completion", "upload", "requestRecord", "usageDay"} <= set(held)
    file = held["file"]
    assert (file["count"], file["withoutEnd"], file["lastEnds"]) == (2, 2, None)
    assert 150_000 <= file["bytes"] < 160_000
    completion = held["stored_completion"]
    assert (completion["count"], completion["withoutEnd"]) == (1, 0)
    assert completion["oldest"] < completion["firstEnds"] == completion["lastEnds"]
    assert held["requestRecord"]["count"] >= 4
    table = reported(server, "linarite")
    for words in ("stored_completion", "objects.db, files/", " KiB", "requests.db"):
        assert words in table


def test_of_nobody_nothing_is_held(server: Server) -> None:
    """And it is said so."""
    new_account(server, "empty")
    assert "Nothing is held of this account." in reported(server, "empty")
    absent = asked(server, f"{ACCOUNTS}/absent/providers/Linarite.Operations/dataReports")
    assert absent.status_code == 404


def test_a_deletion_is_proved(server: Server) -> None:
    """With the request that did it; who that was, the request's record tells."""
    owner = mine(server)
    file_id = owner.store(b"gone")
    done = owner.ask("DELETE", f"{V1}/files/{file_id}")
    event = removals(server, "linarite")[0]
    assert event["details"]["reason"] == "deleted"
    assert (event["details"]["removed"], event["details"]["file"]) == (1, 1)
    assert event["request_id"] == done.headers["apim-request-id"]
    assert file_id not in json.dumps(event)


def test_a_purge_is_proved(server: Server) -> None:
    """With how many there were of each kind, and their bytes."""
    brief = new_account(server, "brief")
    brief.store(b"x" * 1000)
    brief.store(b"x" * 500)
    begun_upload(brief)
    arm(server, "DELETE", f"{ACCOUNTS}/brief")
    wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 200)
    arm(server, "DELETE", f"{DELETED}/brief")
    wait_for(lambda: arm(server, "GET", f"{DELETED}/brief").status_code == 404)
    new_account(server, "brief")
    details = removals(server, "brief")[0]["details"]
    counted = {"reason": "purged", "removed": 3, "file": 2, "upload": 1, "bytes": 1500}
    assert {name: details[name] for name in counted} == counted
