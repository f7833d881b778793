"""Deployments that move to another version of their model while clients call them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from openai import AzureOpenAI

from tests.e2e.test_hosting import ACCOUNT
from tests.e2e.test_model_lifecycle import FUTURE, PAST, SUBSCRIPTION, chat, deploy, list_model
from tests.faults.test_provisioning_killed import arm
from tests.serving import SIMULATED, serving, start_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

SETTINGS = (
    SIMULATED
    + """
[quota]
rates = "off"  # what is tried here asks as fast as it can

[hosting]
engine = "simulator"
options = { load_s = 0.5, tokens_per_second = 40, reply_tokens = 80 }
"""
)
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose instances take a moment to load and to answer."""
    yield from serving(tmp_path_factory.mktemp("upgrades"), SETTINGS)


def upgrades(server: Server) -> dict[str, dict[str, Any]]:
    """What the dry run says, by deployment."""
    answer = arm(server, "GET", f"{SUBSCRIPTION}/providers/Linarite.Hosting/upgrades")
    return {each["name"]: each["properties"] for each in answer.json()["value"]}


def until(server: Server, name: str, version: str) -> dict[str, Any]:
    """Return once a deployment serves a version; it, as the control plane shows it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        shown: dict[str, Any] = arm(server, "GET", f"{ACCOUNT}/deployments/{name}").json()
        if shown["properties"]["model"]["version"] == version:
            return shown
        assert time.monotonic() < deadline, (shown, upgrades(server).get(name))
        time.sleep(0.05)


def test_an_upgrade_leaves_no_gap(server: Server) -> None:
    """Calls are answered all the time; a reply that has begun ends on the version it began on."""
    list_model(server, "o-up@2024-01-01")
    deploy(server, "up", "o-up", None, "OnceNewDefaultVersionAvailable")
    list_model(server, "o-up@2025-01-01")
    assert upgrades(server)["up"]["state"] == "UpToDate"
    client = AzureOpenAI(
        azure_endpoint=server.endpoint, api_key=server.key, api_version="2024-10-21", max_retries=0
    )
    moved = threading.Event()

    def call_on() -> list[str | None]:
        told: list[str | None] = []
        while not moved.is_set():
            told.append(chat(server, "up"))
        return told

    with ThreadPoolExecutor() as pool:
        calling = pool.submit(call_on)
        stream = client.chat.completions.create(
            model="up", messages=[{"role": "user", "content": "hi"}], max_tokens=80, stream=True
        )
        began = next(chunk for chunk in stream if chunk.choices)
        list_model(server, "o-up@2025-01-01", isDefaultVersion=True)
        until(server, "up", "2025-01-01")
        rest = list(stream)
        assert chat(server, "up") == "o-up-2025-01-01"
        moved.set()
    told = calling.result()
    assert {began.model, *(chunk.model for chunk in rest if chunk.model)} == {"o-up-2024-01-01"}
    assert rest[-1].choices[0].finish_reason == "length"
    assert set(told) <= {"o-up-2024-01-01", "o-up-2025-01-01"}
    assert told == sorted(told, key=str)  # never back
    done = upgrades(server)["up"]
    assert done["state"] == "UpToDate"
    assert done["lastUpgrade"]["status"] == "Succeeded"
    assert done["lastUpgrade"]["target"]["version"] == "2025-01-01"


def test_the_dry_run_says_what_would_be_and_changes_nothing(server: Server) -> None:
    """Each option of its own: when, to what, and why not."""
    list_model(server, "o-dry@1", deprecation={"inference": FUTURE})
    list_model(server, "o-dry@2")
    for name, option in (
        ("dry-ends", "OnceCurrentVersionExpired"),
        ("dry-stays", "NoAutoUpgrade"),
    ):
        deploy(server, name, "o-dry", "1", option)
    told = upgrades(server)
    assert told["dry-ends"]["state"] == "Scheduled"
    assert told["dry-ends"]["dueAt"] == told["dry-ends"]["retiredAt"] == FUTURE
    assert told["dry-ends"]["target"]["version"] == "2"
    assert told["dry-stays"]["state"] == "NotUpgraded"
    assert "NoAutoUpgrade" in told["dry-stays"]["reason"]
    assert upgrades(server) == told


def test_a_retired_version_moves_its_deployments_and_none_of_them_is_refused(
    server: Server,
) -> None:
    """Those who may move do not hear of the retirement; who said never gets 410."""
    list_model(server, "o-end@1")
    list_model(server, "o-end@2")
    deploy(server, "end", "o-end", "1", "OnceCurrentVersionExpired")
    list_model(server, "o-end@1", deprecation={"inference": PAST})
    assert chat(server, "end") == "o-end"
    until(server, "end", "2")
    assert chat(server, "end") == "o-end"


@pytest.mark.slow
def test_killed_in_the_middle_of_an_upgrade(tmp_path: Path) -> None:
    """The next server goes on with it; until it is done the old version answers."""
    slow = SETTINGS.replace("load_s = 0.5", "load_s = 2.0")
    server = start_server(tmp_path, slow)
    try:
        list_model(server, "o-kill@1")
        deploy(server, "kill", "o-kill", "1", "OnceNewDefaultVersionAvailable")
        list_model(server, "o-kill@2024-02-02", isDefaultVersion=True)
        deadline = time.monotonic() + PATIENCE_S
        while upgrades(server)["kill"]["state"] != "Upgrading":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        server.kill()
        server = start_server(tmp_path, slow)
        shown = arm(server, "GET", f"{ACCOUNT}/deployments/kill").json()["properties"]
        assert (shown["model"]["version"], shown["provisioningState"]) == ("1", "Updating")
        assert chat(server, "kill") == "o-kill"
        assert until(server, "kill", "2024-02-02")["properties"]["provisioningState"] == "Succeeded"
        assert chat(server, "kill") == "o-kill-2024-02-02"
        assert upgrades(server)["kill"]["lastUpgrade"]["status"] == "Succeeded"
    finally:
        server.kill()
