"""A server over TLS that takes the tokens of declared issuers, and who has which role there."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.authority import Authority
from tests.forged_tokens import GOOD, OTHER
from tests.serving import SIMULATED, serving
from tests.token_signer import SOMEBODY, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
ROLES = "/providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
CHAT = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
GROUPS = f"{SUBSCRIPTION}/resourceGroups?api-version=2024-11-01"
HELLO = {"messages": [{"role": "user", "content": "hello"}]}


@dataclass
class Guarded:
    """A running server, and a client that trusts it."""

    server: Server
    authority: str
    client: httpx.Client

    def ask(self, method: str, path: str, bearer: str, **extra: Any) -> httpx.Response:  # noqa: ANN401 - passed on
        """A request with a bearer token, whatever its characters."""
        headers = {b"authorization": b"Bearer " + bearer.encode("latin-1")}
        return self.client.request(method, path, headers=headers, **extra)

    def chat(self, bearer: str) -> httpx.Response:
        """A request on the data plane."""
        return self.ask("POST", CHAT, bearer, json=HELLO)

    def groups(self, bearer: str) -> httpx.Response:
        """A request on the control plane."""
        return self.ask("GET", GROUPS, bearer)

    def manage(self, method: str, path: str, body: object = None) -> httpx.Response:
        """A request on the control plane with the management key."""
        key = str(self.server.ready["management_key"])
        return self.ask(method, path, key, json=body)

    def assign(self, role: str, object_id: str, scope: str, kind: str = "ServicePrincipal") -> None:
        """Give somebody a role."""
        name = f"{object_id[:8]}-{role[9:]}"
        body = {
            "properties": {
                "roleDefinitionId": f"{ROLES}/{role}",
                "principalId": object_id,
                "principalType": kind,
            }
        }
        path = f"{scope}{ASSIGNMENTS}/{name}?api-version=2022-04-01"
        answer = self.manage("PUT", path, body)
        assert answer.status_code == 201, answer.text


def trusting(authority: Authority, issuers: str) -> str:
    """Settings of a simulator under a certificate of the authority's that trusts issuers."""
    chain = authority.server_file("127.0.0.1")
    return f"""
[server]
tls_certificate = "{chain}"
tls_key = "{chain}"
tls_ca_file = "{authority.file}"
{SIMULATED}
{issuers}
"""


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Two issuers are declared; somebody of the first may use and manage everything."""
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority(folder, "guarded")
    issuers = ""
    for name, signer in (("first", GOOD), ("second", OTHER)):
        file = folder / f"{name}.json"
        file.write_text(json.dumps(signer.key_set))
        issuers += f"""
[issuers.{name}]
issuer = "{signer.issuer}"
key_set_file = "{file}"
allowed_tenants = ["{TENANT}"]
"""
    trust = ssl.create_default_context(cafile=str(authority.file))
    for server in serving(folder / "home", trusting(authority, issuers)):
        with httpx.Client(base_url=server.endpoint, verify=trust, timeout=30) as client:
            running = Guarded(server, str(authority.file), client)
            running.assign(OPENAI_USER, SOMEBODY, SUBSCRIPTION)
            running.assign(CONTRIBUTOR, SOMEBODY, SUBSCRIPTION)
            yield running
