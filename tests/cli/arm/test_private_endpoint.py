"""`linarite private-endpoint`: an account's owner answers those who ask for a private way."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.cli.terminal import linarite
from tests.serving import SIMULATED, free_port, serving

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.serving import Server

PORT = free_port()
ADDRESS = "127.0.0.61"
NETWORK = f"""
[networks.apps]
addresses = ["127.0.0.0/24"]
endpoint_addresses = ["{ADDRESS}-127.0.0.69"]
endpoint_port = {PORT}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with a network around it."""
    yield from serving(tmp_path_factory.mktemp("private"), SIMULATED + NETWORK)


def asked_for(server: Server, name: str, account: str = "") -> None:
    """An endpoint that waits for its approval."""
    account_id = str(server.ready["account_id"])
    group = account_id.partition("/providers/")[0]
    if account:
        account_id = account_id.rpartition("/")[0] + f"/{account}"
    network = f"{group}/providers/Microsoft.Network"
    link = {"privateLinkServiceId": account_id, "groupIds": ["account"]}
    answer = httpx.put(
        f"{server.endpoint}{network}/privateEndpoints/{name}?api-version=2024-07-01",
        headers={"authorization": f"Bearer {server.ready['management_key']}"},
        json={
            "location": "local",
            "properties": {
                "subnet": {"id": f"{network}/virtualNetworks/apps/subnets/default"},
                "manualPrivateLinkServiceConnections": [{"name": name, "properties": link}],
            },
        },
    )
    assert answer.status_code == 201, answer.text


def run(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """`linarite private-endpoint …`."""
    return linarite(server.home, "private-endpoint", *words)


def told(server: Server, *words: str) -> Any:  # noqa: ANN401 - JSON
    """What it prints as JSON."""
    done = run(server, *words, "-o", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def listens(address: str) -> bool:
    """Whether the endpoint takes connections."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, PORT)) == 0


def test_one_is_listed_shown_approved_and_rejected(server: Server) -> None:
    """It listens from the approval to the rejection, and cannot be had again after that."""
    assert run(server, "list").stderr.startswith("No private endpoints")
    asked_for(server, "pe")
    [waiting] = told(server, "list", "--state", "pending")
    assert told(server, "show", "PE")["id"] == waiting["id"]
    assert not listens(ADDRESS)
    approved = run(server, "approve", "pe", "--description", "for team blue")
    assert approved.returncode == 0, approved.stderr
    assert "Approved" in approved.stdout
    assert listens(ADDRESS)
    assert told(server, "list", "--state", "pending") == []
    lines = run(server, "list", "--account", "linarite").stdout.splitlines()
    assert lines[0].split() == ["NAME", "GROUP", "ACCOUNT", "STATE", "DESCRIPTION", "CONNECTION"]
    assert lines[1].split()[:4] == ["pe", "linarite", "linarite", "Approved"]
    assert "for team blue" in lines[1]
    shown = told(server, "show", "pe")["endpoint"]["properties"]
    assert shown["customDnsConfigs"][0]["ipAddresses"] == [ADDRESS]
    assert f" {ADDRESS}\n" in run(server, "show", "pe").stdout

    assert run(server, "reject", "pe", "--description", "no more").returncode == 0
    assert not listens(ADDRESS)
    again = run(server, "approve", "pe")
    assert again.returncode == 1
    assert "Delete the private endpoint and create it anew" in again.stderr


def test_names_that_are_none_or_several_are_told(server: Server) -> None:
    """With those that there are, and the flag that tells them apart."""
    assert linarite(server.home, "account", "create", "team-a", "--custom-domain", "team-a")
    asked_for(server, "one")
    asked_for(server, "two", "team-a")
    absent = run(server, "show", "three")
    assert absent.returncode == 3
    assert "one (to linarite)" in absent.stderr
    assert "two (to team-a)" in absent.stderr
    assert run(server, "show", "two", "--account", "linarite").returncode == 3
    assert told(server, "reject", "-n", "two", "--account", "team-a")["properties"]
    unnamed = run(server, "approve")
    assert unnamed.returncode == 2
    assert "Name the private endpoint" in unnamed.stderr
