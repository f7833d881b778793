"""The management key can be switched off, once somebody else may manage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

OFF = f"{SIMULATED}\n[controlplane]\nmanagement_key = false\n"
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"


def test_nobody_locks_themselves_out(tmp_path: Path) -> None:
    """It refuses to start while nobody is Owner, and says how; then the key opens nothing."""
    home = tmp_path / "home"
    refused = start_server(home, OFF, wait=False)
    assert refused.process.wait(60) == 1
    said = " ".join(refused.said.split())
    assert "controlplane.management_key = true" in said
    assert f"role assignment create --role Owner --scope {SUBSCRIPTION}" in said
    with stopped(start_server(home, SIMULATED)) as server:
        key = str(server.ready["management_key"])
        for command in (
            "identity app create ops",
            f"role assignment create --role Owner --assignee ops --scope {SUBSCRIPTION}",
        ):
            done = linarite(home, *command.split())
            assert done.returncode == 0, done.stderr
        bearer = {"authorization": f"Bearer {key}"}
        there = f"{server.endpoint}/subscriptions?api-version=2022-12-01"
        assert httpx.get(there, headers=bearer).status_code == 200
    with stopped(start_server(home, OFF)) as server:
        assert server.ready["management_key"] == ""
        there = f"{server.endpoint}/subscriptions?api-version=2022-12-01"
        assert httpx.get(there, headers=bearer).status_code == 401
        users = f"{server.endpoint}/v1.0/users"
        assert httpx.get(users, headers=bearer).status_code in {401, 403}
        shut = linarite(home, "account", "list")
        assert shut.returncode == 1
        assert "controlplane.management_key" in shut.stderr
