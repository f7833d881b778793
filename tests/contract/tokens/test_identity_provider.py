"""A company's own identity provider, with a client that signs in there and is served here."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import httpx
import pytest
from authlib.integrations.httpx_client import OAuth2Client
from openai import AuthenticationError, AzureOpenAI, OpenAI

from tests.authlib_issuer import AUDIENCE, TOKENS, realm
from tests.authority import Authority
from tests.contract.tokens.conftest import OPENAI_USER, SUBSCRIPTION, Guarded, trusting
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.authlib_issuer import Realm, RegisteredClient

HELLO: Any = [{"role": "user", "content": "hello"}]


class Company:
    """A server, the provider that it trusts, and who trusts both."""

    def __init__(self, guarded: Guarded, provider: Realm, trust: ssl.SSLContext) -> None:
        self.guarded = guarded
        self.provider = provider
        self.trust = trust
        self.http: Any = httpx.Client(verify=trust, timeout=30)

    def id_of(self, claim: str) -> str:
        """The object id that stands for a claim of the provider's."""
        return str(uuid5(uuid5(NAMESPACE_URL, self.provider.url), claim))

    def token(self, client: RegisteredClient) -> str:
        """As Authlib's own client gets one with the client's secret."""
        signing_in: Any = OAuth2Client(client.client_id, client.secret, verify=self.trust)
        with signing_in as session:
            url = self.provider.url.partition("/realms")[0] + TOKENS
            return str(session.fetch_token(url, grant_type="client_credentials")["access_token"])

    def azure(self, client: RegisteredClient) -> AzureOpenAI:
        """The official client, signing in with that one's tokens."""
        return AzureOpenAI(
            azure_endpoint=self.guarded.server.endpoint,
            azure_ad_token_provider=lambda: self.token(client),
            api_version="2024-10-21",
            http_client=self.http,
            max_retries=0,
        )


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The realm is declared as documentation shows for Keycloak."""
    folder = tmp_path_factory.mktemp("company")
    authority = Authority(folder, "company")
    with realm(authority) as provider:
        declared = f"""
[issuers.keycloak]
issuer = {json.dumps(provider.url)}
audiences = ["{AUDIENCE}"]
object_ids = "derived"
ca_file = "{authority.file}"
"""
        trust = ssl.create_default_context(cafile=str(authority.file))
        for server in serving(folder / "home", trusting(authority, declared)):
            with httpx.Client(base_url=server.endpoint, verify=trust, timeout=30) as client:
                running = Company(Guarded(server, str(authority.file), client), provider, trust)
                yield running
                running.http.close()


def test_a_role_opens_what_a_token_alone_does_not(company: Company) -> None:
    """By the id that the client's account has here."""
    client = company.provider.register("drafts")
    with pytest.raises(AuthenticationError, match="lacks the required data action"):
        company.azure(client).chat.completions.create(model="gpt-4o", messages=HELLO)
    company.guarded.assign(OPENAI_USER, company.id_of(client.subject), SUBSCRIPTION)
    answer = company.azure(client).chat.completions.create(model="gpt-4o", messages=HELLO)
    assert answer.choices[0].message.content
    v1 = OpenAI(
        base_url=f"{company.guarded.server.endpoint}/openai/v1/",
        api_key=company.token(client),
        http_client=company.http,
        max_retries=0,
    )
    assert v1.chat.completions.create(model="gpt-4o", messages=HELLO).choices


def test_whoever_is_in_a_group_has_its_roles(company: Company) -> None:
    """As the provider names the group."""
    member = company.provider.register("summaries", groups=("/writers",))
    other = company.provider.register("reports", groups=("/readers",))
    company.guarded.assign(OPENAI_USER, company.id_of("group:/writers"), SUBSCRIPTION, "Group")
    assert company.azure(member).chat.completions.create(model="gpt-4o", messages=HELLO).choices
    with pytest.raises(AuthenticationError):
        company.azure(other).chat.completions.create(model="gpt-4o", messages=HELLO)


def test_a_wrong_secret_gets_no_token(company: Company) -> None:
    """The provider is a real one."""
    client = company.provider.register("drafts")
    stranger = type(client)(client.client_id)
    with pytest.raises(Exception, match="invalid_client"):
        company.token(stranger)
