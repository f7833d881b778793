"""The real az, signed in to a server over TLS as a service principal that owns the subscription."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import httpx
import pytest

from tests.authority import Authority
from tests.serving import SIMULATED, free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

ROOT = Path(__file__).resolve().parents[3]
AZ_PYTHON = ROOT / ".venv.az" / "bin" / "python"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
AUTHORIZATION = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ROLE_DEFINITIONS = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
)


SUBNET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/az-private/providers/Microsoft.Network"
    "/virtualNetworks/vnet-apps/subnets/snet-endpoints"
)
ENDPOINT_PORT = free_port()
NETWORK = f"""
[networks.apps]
addresses = ["127.0.0.0/24"]
subnet = "{SUBNET}"
endpoint_addresses = ["127.0.0.31-127.0.0.39"]
endpoint_port = {ENDPOINT_PORT}
"""
"""a network around the server, in which az makes private endpoints"""


SINK = """
[diagnostic_sinks.archive]
kind = "folder"
path = "archive"
"""


class Refused(AssertionError):
    """az ended with an error; the message is what it said."""


@dataclass
class Az:
    """A running az: `az("group", "list")` returns what `az group list` would print as JSON."""

    process: subprocess.Popen[str]

    def __call__(self, *arguments: str) -> Any:  # noqa: ANN401 - as various as az
        """Run one command. Raises Refused with az's own words."""
        given, taken = self.process.stdin, self.process.stdout
        assert given is not None
        assert taken is not None
        given.write(json.dumps(arguments) + "\n")
        given.flush()
        told = json.loads(taken.readline())
        if told["code"] != 0:
            raise Refused(told["error"])
        return json.loads(told["printed"]) if told["printed"].strip() else None


@dataclass
class Cloud:
    """A server and who may do what on it."""

    server: Server
    authority: Authority

    def ask(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ANN401 - JSON
        """A request with the management key."""
        answer = httpx.request(
            method,
            self.server.endpoint + path,
            json=body,
            headers={"authorization": f"Bearer {self.server.ready['management_key']}"},
            verify=ssl.create_default_context(cafile=str(self.authority.file)),
            timeout=30,
        )
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def principal(self, name: str, role: str = "") -> tuple[str, str, str]:
        """A new service principal: client id, secret, object id; with a role if one is named."""
        application = self.ask("POST", "/v1.0/applications", {"displayName": name})
        client_id = application["appId"]
        made = self.ask("POST", "/v1.0/servicePrincipals", {"appId": client_id})
        secret = self.ask("POST", f"/v1.0/applications/{application['id']}/addPassword", {})
        if role:
            self.ask(
                "PUT",
                f"{AUTHORIZATION}/roleAssignments/{uuid.uuid4()}?api-version=2022-04-01",
                {
                    "properties": {
                        "roleDefinitionId": f"{AUTHORIZATION}/roleDefinitions/{role}",
                        "principalId": made["id"],
                        "principalType": "ServicePrincipal",
                    }
                },
            )
        return client_id, secret["secretText"], made["id"]

    @property
    def tenant(self) -> str:
        """The server's tenant."""
        answer = self.ask("GET", "/tenants?api-version=2022-12-01")
        return answer["value"][0]["tenantId"]


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A server over TLS with simulated deployments."""
    if not AZ_PYTHON.exists():
        pytest.skip("azure-cli is not set up: `make test` installs it")
    folder = tmp_path_factory.mktemp("cloud")
    authority = Authority(folder, "az")
    chain = authority.server_file("127.0.0.1")
    settings = f'[server]\ntls_certificate = "{chain}"\ntls_key = "{chain}"\n'
    settings += f'tls_ca_file = "{authority.file}"\n'
    for server in serving(folder / "home", settings + NETWORK + SINK + SIMULATED):
        yield Cloud(server, authority)


@pytest.fixture(scope="session")
def stranger(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Az]:
    """An az that has registered the server as its cloud, and nobody is signed in."""
    folder = tmp_path_factory.mktemp("az")
    with (folder / "said.log").open("w") as said:
        yield from running_az(cloud, folder, said)


def running_az(cloud: Cloud, folder: Path, said: IO[str]) -> Iterator[Az]:
    """An az with its own configuration, ended afterwards."""
    process = subprocess.Popen(
        [AZ_PYTHON, Path(__file__).parent / "az_session.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        text=True,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AZURE_CONFIG_DIR": str(folder / "az"),
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "REQUESTS_CA_BUNDLE": str(cloud.authority.file),
        },
    )
    az = Az(process)
    try:
        endpoint = cloud.server.endpoint
        az("cloud", "register", "--name", "Linarite", "--endpoint-resource-manager", endpoint)
        az("cloud", "set", "--name", "Linarite")
        yield az
    finally:
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def az(cloud: Cloud, stranger: Az) -> Az:
    """Signed in as an owner."""
    client_id, secret, _ = cloud.principal("owner", OWNER)
    stranger(
        *("login", "--service-principal", "--tenant", cloud.tenant),
        *("--username", client_id, "--password", secret),
    )
    return stranger
