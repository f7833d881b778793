"""`kill -9` while a model is calibrated, and while files of models are taken out of the store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.hosting.models.store import ModelStore
from tests.e2e.test_hosting import ACCOUNT
from tests.e2e.test_model_lifecycle import MODELS
from tests.faults.test_provisioning_killed import (
    DEPLOYMENT,
    PATIENCE_S,
    arm,
    ended,
    killed_and_started,
    until_doing,
)
from tests.hosting.models import gguf_files
from tests.serving import SIMULATED, start_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Server

SETTINGS = (
    SIMULATED
    + """
[hosting]
engine = "simulator"
options = { seed = 1, time_to_first_token_ms = 40, tokens_per_second = 100 }
"""
)
CALIBRATE = f"{DEPLOYMENT}/providers/Linarite.Hosting/calibrate"
CALIBRATIONS = f"{ACCOUNT.partition('/resourceGroups/')[0]}/providers/Linarite.Hosting/calibrations"
SECONDS = 1
BODY = {
    "sku": {"name": "GlobalProvisionedManaged", "capacity": 10},
    "properties": {"model": {"format": "OpenAI", "name": "o-new", "version": "1"}},
}


def followed(answer: httpx.Response) -> str:
    """Where the operation is told of."""
    assert answer.status_code in {200, 201, 202}, answer.text
    return httpx.URL(answer.headers["azure-asyncoperation"]).path


def calibrations(server: Server) -> list[dict[str, Any]]:
    """What is known of models."""
    answer = arm(server, "GET", CALIBRATIONS)
    assert answer.status_code == 200, answer.text
    return [each["properties"] for each in answer.json()["value"]]


@pytest.mark.slow
def test_killed_while_a_model_is_calibrated(tmp_path: Path) -> None:
    """The next server measures it anew; what was found holds after another kill."""
    server = start_server(tmp_path, SETTINGS)
    try:
        ended(server, followed(arm(server, "PUT", DEPLOYMENT, BODY)))
        operation = followed(arm(server, "POST", CALIBRATE, {"seconds": SECONDS}))
        until_doing(server, operation, "at a time")
        assert calibrations(server) == []
        server = killed_and_started(server)
        told = ended(server, operation)
        assert told["status"] == "Succeeded", told
        (found,) = calibrations(server)
        assert found["completionTokensPerSecond"] > 0
        server = killed_and_started(server)
        assert calibrations(server) == [found]
    finally:
        server.kill()


@pytest.mark.slow
def test_killed_while_files_are_taken_out(tmp_path: Path) -> None:
    """Entries that were deleted leave no file behind; what was not keeps its own."""
    server = start_server(tmp_path, SIMULATED)
    try:
        imports = tmp_path / "imports"
        imports.mkdir(exist_ok=True)
        names = [f"tiny-{number}" for number in range(4)]
        for name in names:
            (imports / f"{name}.gguf").write_bytes(gguf_files.content())
            body = {"properties": {"source": f"file:{name}.gguf"}}
            told = ended(server, followed(arm(server, "PUT", f"{MODELS}/{name}@1", body)))
            assert told["status"] == "Succeeded", told
        for name in names[1:]:
            assert arm(server, "DELETE", f"{MODELS}/{name}@1").status_code == 200
        server = killed_and_started(server)
        store = ModelStore(tmp_path / "models")
        deadline = time.monotonic() + PATIENCE_S
        while [each.name for each in store.list()] != names[:1]:
            assert time.monotonic() < deadline, store.list()
            time.sleep(0.05)
        assert store.verified_path(names[0], "1").is_file()
    finally:
        server.kill()
