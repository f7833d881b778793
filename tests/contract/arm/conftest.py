"""A server over TLS, and the official management clients pointed at it."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.authority import Authority
from tests.serving import SIMULATED, free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

Sdk: TypeAlias = Any
"""a client of the Azure SDK: its types don't allow the plain dictionaries that it takes"""
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"


ENDPOINT_GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/private"
SUBNET = (
    f"{ENDPOINT_GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-openai"
    "/subnets/snet-private-endpoints"
)
ENDPOINT_PORT = free_port()
NETWORK = f"""
[networks.apps]
addresses = ["127.0.0.0/24"]
subnet = "{SUBNET}"
endpoint_addresses = ["127.0.0.41-127.0.0.49"]
endpoint_port = {ENDPOINT_PORT}
"""
"""a network around the server, in which private endpoints are made"""


PRICES = """
[[prices.models]]
model = "text-embedding-3-small"
input = 0.02
"""


class KeyCredential:
    """The management key as azure-core wants credentials."""

    def __init__(self, key: str) -> None:
        self._key = key

    def get_token(self, *_: str, **__: object) -> AccessToken:
        """A token that is the key."""
        return AccessToken(self._key, int(time.time()) + 3600)


@dataclass
class Managed:
    """A running server and how its control plane is reached."""

    server: Server
    authority: str
    """PEM file to trust"""

    @property
    def key(self) -> str:
        """What opens the control plane."""
        return str(self.server.ready["management_key"])

    def ask(self, method: str, path: str, **extra: Any) -> httpx.Response:  # noqa: ANN401 - httpx
        """A bare request with the management key."""
        url = path if path.startswith("https:") else self.server.endpoint + path
        headers = {"authorization": f"Bearer {self.key}"} | extra.pop("headers", {})
        trust = ssl.create_default_context(cafile=self.authority)
        return httpx.request(method, url, headers=headers, verify=trust, timeout=30, **extra)

    def client(self, kind: type[Any]) -> Sdk:
        """A management client of the Azure SDK."""
        return kind(
            KeyCredential(self.key),
            SUBSCRIPTION,
            base_url=self.server.endpoint,
            credential_scopes=[f"{self.server.endpoint}/.default"],
            connection_verify=self.authority,
            retry_total=0,
            polling_interval=1,
        )


@pytest.fixture(scope="session")
def managed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Managed]:
    """A server over TLS whose deployments are simulated."""
    folder = tmp_path_factory.mktemp("managed")
    authority = Authority(folder, "managed")
    chain = authority.server_file("127.0.0.1")
    settings = f"""
{PRICES}
{NETWORK}
{SIMULATED}
[server]
tls_certificate = "{chain}"
tls_key = "{chain}"
tls_ca_file = "{authority.file}"
"""
    for server in serving(folder / "home", settings):
        yield Managed(server, str(authority.file))


@pytest.fixture(scope="session")
def cognitive(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-cognitiveservices."""
    with managed.client(CognitiveServicesManagementClient) as client:
        yield client


@pytest.fixture(scope="session")
def resources(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-resource."""
    with managed.client(ResourceManagementClient) as client:
        yield client


@pytest.fixture
def group(resources: Sdk, cognitive: Sdk, request: pytest.FixtureRequest) -> Iterator[str]:
    """A resource group of the test's own, deleted with all it holds; accounts are purged."""
    name = f"rg-{abs(hash(request.node.name)) % 10**8}"
    resources.resource_groups.create_or_update(name, {"location": "local"})
    yield name
    resources.resource_groups.begin_delete(name).result()
    for account in cognitive.deleted_accounts.list():
        if f"/resourceGroups/{name}/" in account.id:
            cognitive.deleted_accounts.begin_purge("local", name, account.name).result()
