"""The official clients, pointed at accounts by their host names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2
import pytest
from openai import AzureOpenAI, NotFoundError, OpenAI, PermissionDeniedError

from tests.contract.sdk.conftest import API_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.sdk.conftest import Target

SERVICES = ("openai", "cognitiveservices", "services.ai")
VERSION = "2025-09-01"


class Resolving(httpx2.HTTPTransport):
    """Finds every name on this machine: what DNS would do."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The Host header, which httpx has set, stays what the client was told."""
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


@pytest.fixture
def resolving() -> Iterator[httpx2.Client]:
    """A client of the SDK's, with a resolver of its own."""
    with httpx2.Client(transport=Resolving()) as client:
        yield client


def named(target: Target, service: str, word: str = "linarite") -> str:
    """The account's endpoint by name, at the server's port."""
    port = urlsplit(target.server.endpoint).port
    return f"http://{word}.{service}.linarite.internal:{port}"


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("version", API_VERSIONS)
def test_azure_client_by_name(
    simulated: Target, resolving: httpx2.Client, service: str, version: str
) -> None:
    """By each of the account's names."""
    client = AzureOpenAI(
        azure_endpoint=named(simulated, service),
        api_key=simulated.server.key,
        api_version=version,
        http_client=resolving,
    )
    answer = client.chat.completions.create(
        model=simulated.chat,
        messages=[{"role": "user", "content": "Say hello."}],
    )
    assert answer.choices[0].message.content


def test_openai_client_by_name(simulated: Target, resolving: httpx2.Client) -> None:
    """On /openai/v1/, streamed."""
    client = OpenAI(
        base_url=f"{named(simulated, 'services.ai')}/openai/v1/",
        api_key=simulated.server.key,
        http_client=resolving,
    )
    stream = client.chat.completions.create(
        model=simulated.chat,
        messages=[{"role": "user", "content": "Say hello."}],
        stream=True,
    )
    assert [chunk for chunk in stream if chunk.choices]


def test_a_name_that_no_account_has(simulated: Target, resolving: httpx2.Client) -> None:
    """As on Azure, whatever the key."""
    client = AzureOpenAI(
        azure_endpoint=named(simulated, "openai", "nobody"),
        api_key=simulated.server.key,
        api_version=API_VERSIONS[0],
        http_client=resolving,
    )
    with pytest.raises(NotFoundError, match="Subdomain does not map to a resource"):
        client.models.list()


def test_rules_act_on_a_client_that_stays_connected(
    simulated: Target, resolving: httpx2.Client
) -> None:
    """From one request to the next, and back."""
    server = simulated.server
    client = AzureOpenAI(
        azure_endpoint=named(simulated, "openai"),
        api_key=server.key,
        api_version=API_VERSIONS[0],
        http_client=resolving,
        max_retries=0,
    )

    def set_rules(default_action: str) -> None:
        acls = {"defaultAction": default_action, "ipRules": [{"value": "203.0.113.0/24"}]}
        httpx2.patch(
            f"{server.endpoint}{server.ready['account_id']}?api-version={VERSION}",
            json={"properties": {"networkAcls": acls}},
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
        ).raise_for_status()

    assert list(client.models.list())
    try:
        set_rules("Deny")
        with pytest.raises(PermissionDeniedError, match="Virtual Network/Firewall rules"):
            client.models.list()
    finally:
        set_rules("Allow")
    assert list(client.models.list())
