"""A server over TLS, its directory, and azure-identity pointed at it."""

from __future__ import annotations

import base64
import json
import os
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import httpx
import pytest

from tests.authority import Authority
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Server

RESOURCE = "https://cognitiveservices.azure.com"
SCOPE = f"{RESOURCE}/.default"
HEADER_SECRET = "a-header-secret-of-the-test"


@dataclass
class App:
    """An app registration with its service principal and a secret."""

    id: str
    app_id: str
    principal_id: str
    secret: str


@dataclass
class SignIn:
    """A running server and how its directory is reached."""

    server: Server
    authority: Authority
    chain: Path
    """the server's certificate, with its key"""

    @property
    def url(self) -> str:
        """The server, as clients write it."""
        return self.server.endpoint

    @property
    def host(self) -> str:
        """What azure-identity wants as authority."""
        return self.url.removeprefix("https://")

    @property
    def trust(self) -> ssl.SSLContext:
        """For httpx."""
        return ssl.create_default_context(cafile=str(self.authority.file))

    @property
    def tenant(self) -> str:
        """The server's tenant, as it tells everybody."""
        cloud = self.ask("GET", "/metadata/endpoints?api-version=2022-09-01").json()
        return str(cloud["authentication"]["tenant"])

    def ask(self, method: str, path: str, **extra: Any) -> httpx.Response:  # noqa: ANN401 - httpx
        """A bare request."""
        url = path if path.startswith("https:") else self.url + path
        return httpx.request(method, url, verify=self.trust, timeout=60, **extra)

    def graph(self, method: str, path: str, body: object = None, status: int = 0) -> Any:  # noqa: ANN401 - JSON
        """A request to the directory with the management key."""
        key = self.server.ready["management_key"]
        answer = self.ask(
            method, f"/v1.0{path}", json=body, headers={"authorization": f"Bearer {key}"}
        )
        assert answer.status_code == (status or answer.status_code), answer.text
        assert status or answer.is_success, answer.text
        return answer.json() if answer.content else None

    def token(self, tenant: str = "", **form: str) -> httpx.Response:
        """A request to the token endpoint."""
        return self.ask("POST", f"/{tenant or self.tenant}/oauth2/v2.0/token", data=form)

    def new_app(self, name: str, **more: object) -> App:
        """Register an application that signs in by itself."""
        made = self.graph("POST", "/applications", {"displayName": name, **more})
        principal = self.graph("POST", "/servicePrincipals", {"appId": made["appId"]})
        secret = self.graph("POST", f"/applications/{made['id']}/addPassword")
        return App(made["id"], made["appId"], principal["id"], secret["secretText"])

    def environment(self, **more: str) -> Any:  # noqa: ANN401 - a patcher
        """The environment of a client: it trusts the server, and has these variables."""
        others = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AZURE_", "IDENTITY_", "MSI_", "IMDS_"))
        }
        trust = {"REQUESTS_CA_BUNDLE": str(self.authority.file)}
        return mock.patch.dict(os.environ, others | trust | more, clear=True)


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def settings_for(chain: object, authority: object, more: str = "") -> str:
    """Settings of a server over TLS."""
    return f"""
{more}
{SIMULATED}
[server]
tls_certificate = "{chain}"
tls_key = "{chain}"
tls_ca_file = "{authority}"
"""


@pytest.fixture(scope="session")
def sign_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignIn]:
    """A server over TLS with a directory of its own."""
    folder = tmp_path_factory.mktemp("sign-in")
    authority = Authority(folder, "sign-in")
    chain = authority.server_file("127.0.0.1")
    challenges = folder / "challenges"
    challenges.mkdir()
    bound = f"""
[signin]
arc_folder = "{challenges}"

[managed_identities.web]
header_secret = "{HEADER_SECRET}"

[managed_identities.machine]
user = "{os.getuid()}"

[managed_identities.same-machine-by-address]
identity = "/providers/Linarite.SignIn/managedIdentities/machine"
address = "127.0.0.0/8"

[managed_identities.another-machine]
address = "192.0.2.0/24"
"""
    for server in serving(folder / "home", settings_for(chain, authority.file, bound)):
        yield SignIn(server, authority, chain)


@pytest.fixture(scope="session")
def app(sign_in: SignIn) -> App:
    """An application with a secret."""
    return sign_in.new_app("The tests' application")
