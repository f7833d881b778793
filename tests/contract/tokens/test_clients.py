"""Official clients with token credentials, against the tokens of an issuer with a real server."""

from __future__ import annotations

import json
import ssl
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.identity import get_bearer_token_provider
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from openai import AsyncAzureOpenAI, AuthenticationError, AzureOpenAI, OpenAI

from tests.authority import Authority
from tests.contract.tokens.conftest import CONTRIBUTOR, OPENAI_USER, SUBSCRIPTION, Guarded, trusting
from tests.external_issuer import ExternalIssuer, external_issuer
from tests.serving import serving
from tests.token_signer import SOMEBODY, TENANT

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO: Any = [{"role": "user", "content": "hello"}]
NEVER_ASKED = 4


class Credential:
    """A credential as azure-identity has them: tokens of an issuer, for what is asked for."""

    def __init__(self, issuer: ExternalIssuer, **claims: str) -> None:
        self._issuer = issuer
        self._claims = claims

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """A token for the scope's resource."""
        audience = scopes[0].removesuffix("/.default")
        token = self._issuer.signer.token(aud=audience, **self._claims)
        return AccessToken(token, int(time.time()) + 3600)


class Deployed:
    """A server and the issuer it trusts."""

    def __init__(self, guarded: Guarded, issuer: ExternalIssuer) -> None:
        self.guarded = guarded
        self.issuer = issuer
        self.credential = Credential(issuer)
        trust = ssl.create_default_context(cafile=guarded.authority)
        self.http: Any = httpx.Client(verify=trust, timeout=30)  # openai takes httpx2 or httpx
        self.trust = trust

    def provider(self, scope: str) -> Any:  # noqa: ANN401 - what openai takes
        """As azure-identity makes it."""
        credential: Any = self.credential
        return get_bearer_token_provider(credential, scope)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Roles are given to somebody of the issuer's tenant."""
    folder = tmp_path_factory.mktemp("deployed")
    authority = Authority(folder, "deployed")
    with external_issuer(authority) as issuer:
        declared = f"""
[issuers.company]
issuer = {json.dumps(issuer.url)}
allowed_tenants = ["{TENANT}"]
ca_file = "{authority.file}"
"""
        trust = ssl.create_default_context(cafile=str(authority.file))
        for server in serving(folder / "home", trusting(authority, declared)):
            with httpx.Client(base_url=server.endpoint, verify=trust, timeout=30) as client:
                guarded = Guarded(server, str(authority.file), client)
                guarded.assign(OPENAI_USER, SOMEBODY, SUBSCRIPTION)
                guarded.assign(CONTRIBUTOR, SOMEBODY, SUBSCRIPTION)
                running = Deployed(guarded, issuer)
                yield running
                running.http.close()


def test_azure_openai_with_a_token_provider(deployed: Deployed) -> None:
    """The dated dialect, with the scope of Cognitive Services."""
    client = AzureOpenAI(
        azure_endpoint=deployed.guarded.server.endpoint,
        azure_ad_token_provider=deployed.provider("https://cognitiveservices.azure.com/.default"),
        api_version="2024-10-21",
        http_client=deployed.http,
        max_retries=0,
    )
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content
    # Read to its end: one that is left is closed by the collector, perhaps under httpcore's lock.
    pieces = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    assert any(piece.choices and piece.choices[0].delta.content for piece in pieces)


@pytest.mark.anyio
async def test_the_asynchronous_client(deployed: Deployed) -> None:
    """The same, with a provider that is awaited."""

    async def provider() -> str:
        return deployed.credential.get_token("https://ai.azure.com/.default").token

    http: Any = httpx.AsyncClient(verify=deployed.trust, timeout=30)
    async with http:
        client = AsyncAzureOpenAI(
            azure_endpoint=deployed.guarded.server.endpoint,
            azure_ad_token_provider=provider,
            api_version="2024-10-21",
            http_client=http,
            max_retries=0,
        )
        answer = await client.chat.completions.create(model="gpt-4o", messages=HELLO)
        assert answer.choices[0].message.content


def test_openai_with_a_token_provider_as_its_key(deployed: Deployed) -> None:
    """The v1 dialect, with the scope of Foundry."""
    client = OpenAI(
        base_url=f"{deployed.guarded.server.endpoint}/openai/v1/",
        api_key=deployed.provider("https://ai.azure.com/.default"),
        http_client=deployed.http,
        max_retries=0,
    )
    answer = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content
    assert client.models.list().data


def test_what_is_refused_is_an_authentication_error(deployed: Deployed) -> None:
    """As on Azure: a token for something else, and one of somebody without a role."""
    nobody = Credential(deployed.issuer, oid="bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee")
    for credential, scope in (
        (deployed.credential, "https://graph.microsoft.com/.default"),
        (nobody, "https://cognitiveservices.azure.com/.default"),
    ):
        client = AzureOpenAI(
            azure_endpoint=deployed.guarded.server.endpoint,
            azure_ad_token=credential.get_token(scope).token,
            api_version="2024-10-21",
            http_client=deployed.http,
            max_retries=0,
        )
        with pytest.raises(AuthenticationError):
            client.chat.completions.create(model="gpt-4o", messages=HELLO)


@pytest.mark.parametrize("scope", ["own", "https://management.azure.com"])
def test_the_management_client_with_a_credential(deployed: Deployed, scope: str) -> None:
    """For the server's own address, or for Azure's name of it."""
    server = deployed.guarded.server
    resource = server.endpoint.rstrip("/") if scope == "own" else scope
    credential: Any = deployed.credential
    client = CognitiveServicesManagementClient(
        credential,
        SUBSCRIPTION.rpartition("/")[2],
        base_url=server.endpoint,
        credential_scopes=[f"{resource}/.default"],
        connection_verify=deployed.guarded.authority,
        retry_total=0,
    )
    accounts = list(client.accounts.list())
    assert [account.kind for account in accounts] == ["OpenAI"]


def test_the_issuers_keys_were_read_once(deployed: Deployed) -> None:
    """However many tokens came since the start."""
    assert deployed.guarded.chat(deployed.issuer.signer.token()).status_code == 200
    assert len(deployed.issuer.asked) <= NEVER_ASKED
