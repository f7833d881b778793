from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.authenticate.audiences import DATA_AUDIENCES
from linarite.controls.authenticate.issuers import Issuer
from linarite.controls.authenticate.key_ring import KeyRing, Pace
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.authenticate.verifier import Verifier
from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.access_errors import TokenRefused
from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.identity.issuer_documents import DOCUMENT_BYTES_MAX, IssuerDocuments
from linarite.identity.verification import Verification, issuer_hosts
from tests.authority import Authority
from tests.external_issuer import CONFIGURATION, KEYS, ExternalIssuer, external_issuer
from tests.token_signer import DATA, SOMEBODY, Signer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio


class Setup:
    """A verifier that takes the tokens of one issuer's real server, by a clock of its own."""

    def __init__(self, issuer: ExternalIssuer, settings: IssuerSettings, pace: Pace) -> None:
        self.issuer = issuer
        self.now = 0.0
        hosts = issuer_hosts({"remote": settings})
        dialer = EgressDialer(EgressPolicy(named_hosts=hosts))
        self.verifier = Verifier(Tokens())
        self.ring = KeyRing(
            "remote",
            IssuerDocuments(settings, dialer).key_set,
            self.verifier.forget,
            pace,
            clock=lambda: self.now,
        )
        self.verifier.trust(Issuer("remote", settings, self.ring), (settings.issuer,))

    async def verify(self, signer: Signer | None = None, **claims: Any) -> str:  # noqa: ANN401 - any claims
        """The object id of a fresh token."""
        token = (signer or self.issuer.signer).token(**claims)
        return (await self.verifier.verify(token, DATA_AUDIENCES)).object_id


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The issuers' private authority."""
    return Authority(tmp_path_factory.mktemp("issuers"), "issuers")


@pytest.fixture
def issuer(authority: Authority) -> Iterator[ExternalIssuer]:
    """A running issuer."""
    with external_issuer(authority) as running:
        yield running


@asynccontextmanager
async def taking(
    issuer: ExternalIssuer,
    authority: Authority,
    **more: Any,  # noqa: ANN401 - settings
) -> AsyncIterator[Setup]:
    """The issuer's tokens are taken as settings say."""
    pace = more.pop("pace", Pace(wait_s=20.0))
    settings = IssuerSettings(issuer=issuer.url, ca_file=str(authority.file), **more)
    setup = Setup(issuer, settings, pace)
    try:
        yield setup
    finally:
        issuer.gate.set()
        await setup.ring.close()


async def test_keys_are_found_by_discovery_when_the_first_token_comes(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """Both documents are read once; what follows asks nobody."""
    async with taking(issuer, authority) as setup:
        assert await setup.verify() == SOMEBODY
        assert await setup.verify(uti="2") == SOMEBODY
        assert [path for path, _ in issuer.asked] == [CONFIGURATION, KEYS]


async def test_keys_where_there_is_no_discovery(
    issuer: ExternalIssuer, authority: Authority, tmp_path: Path
) -> None:
    """Straight from the key set, with the token that Kubernetes wants to see."""
    shown = tmp_path / "token"
    shown.write_text("kubernetes\n")
    more = {"key_set_url": f"{issuer.url}{KEYS}", "token_file": str(shown)}
    async with taking(issuer, authority, **more) as setup:
        assert await setup.verify() == SOMEBODY
        assert issuer.asked == [(KEYS, "Bearer kubernetes")]


async def test_a_new_key_is_noticed_when_a_token_names_it(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """But looked for no sooner than the pace allows; the old one ends when it is withdrawn."""
    async with taking(issuer, authority) as setup:
        old = issuer.signer.token()
        assert await setup.verify() == SOMEBODY
        await setup.verifier.verify(old, DATA_AUDIENCES)
        rotated = Signer(issuer.url, kid="second")
        issuer.publish(KEYS, rotated.key_set)
        with pytest.raises(TokenRefused, match="Access token"):
            await setup.verify(rotated)
        assert issuer.count(KEYS) == 1
        setup.now += 31
        assert await setup.verify(rotated) == SOMEBODY
        assert setup.verifier.known(old, DATA_AUDIENCES) is None
        with pytest.raises(TokenRefused):
            await setup.verifier.verify(old, DATA_AUDIENCES)
        assert issuer.count(KEYS) == 2


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """However many tokens with keys that nobody has come at a time."""
    async with taking(issuer, authority) as setup:
        stranger = Signer(issuer.url)
        tokens = [
            stranger.sign(stranger.header(kid=f"made-up-{each}"), stranger.claims())
            for each in range(50)
        ]
        waits = [setup.verifier.verify(token, DATA_AUDIENCES) for token in tokens]
        refused = await asyncio.gather(*waits, return_exceptions=True)
        assert all(isinstance(each, TokenRefused) for each in refused)
        assert issuer.count(KEYS) == 1


async def test_an_issuer_that_is_down_is_tolerated_for_a_time(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """Its keys hold until they are stale; then 503, and when it is back all is well."""
    async with taking(issuer, authority) as setup:
        assert await setup.verify() == SOMEBODY
        issuer.publish(CONFIGURATION, b"gone", status=503)
        setup.now += 80_000
        await setup.ring.look()
        assert "503" in setup.ring.problem
        assert await setup.verify(uti="2") == SOMEBODY
        setup.now += 7_000
        with pytest.raises(ServiceUnavailable) as unavailable:
            await setup.verify(uti="3")
        assert "remote" in unavailable.value.message
        assert unavailable.value.headers["retry-after"] == "30"
        issuer.publish(CONFIGURATION, {"issuer": issuer.url, "jwks_uri": f"{issuer.url}{KEYS}"})
        setup.now += 31
        assert await setup.verify(uti="3") == SOMEBODY


async def test_no_request_waits_long_for_an_issuer_that_does_not_answer(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """It is told 503; the look goes on, and its answer serves whoever comes later."""
    issuer.gate.clear()
    async with taking(issuer, authority, pace=Pace(wait_s=0.05)) as setup:
        with pytest.raises(ServiceUnavailable):
            await setup.verify()
        issuer.gate.set()
        await setup.ring.look()
        assert await setup.verify() == SOMEBODY
        assert issuer.count(KEYS) == 1


def many_keys(signer: Signer) -> dict[str, Any]:
    """More keys than anybody has."""
    return {"keys": [{**signer.public, "kid": str(each)} for each in range(101)]}


SECRET = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "first", "alg": "HS256"}


@pytest.mark.parametrize(
    ("path", "document", "told"),
    [
        (CONFIGURATION, b"<html>", "can't be read|Expecting value"),
        (CONFIGURATION, [], "no JSON object"),
        (CONFIGURATION, b"\xff\xfe", "utf-8"),
        (CONFIGURATION, {"issuer": "https://evil.example"}, "https://evil.example"),
        (CONFIGURATION, b'{"issuer": "URL", "issuer": "https://evil.example"}', "occurs twice"),
        (CONFIGURATION, {"issuer": "URL"}, "no jwks_uri"),
        (CONFIGURATION, {"issuer": "URL", "jwks_uri": 1}, "no jwks_uri"),
        (CONFIGURATION, {"issuer": "URL", "jwks_uri": "file:///etc/passwd"}, "must look like"),
        (
            CONFIGURATION,
            {"issuer": "URL", "jwks_uri": "http://keys.example/"},
            "over https only",
        ),
        (
            CONFIGURATION,
            {"issuer": "URL", "jwks_uri": "https://keys.example/"},
            "egress.allowed_hosts",
        ),
        (
            CONFIGURATION,
            {"issuer": "URL", "jwks_uri": "https://169.254.169.254/keys"},
            "not allowed",
        ),
        (KEYS, {}, "no list 'keys'"),
        (KEYS, {"keys": {}}, "no list 'keys'"),
        (KEYS, {"keys": []}, "no key in it"),
        (KEYS, {"keys": [1, None, {}, {"kid": "first"}, SECRET]}, "no key in it"),
        (KEYS, {"keys": [{"kty": "RSA", "kid": "first", "n": "AQAB", "e": "AQAB"}]}, "no key in"),
        (KEYS, {"keys": [{"kty": "RSA", "kid": "first", "use": ["sig"]}]}, "no key in"),
        (KEYS, b"{" + b" " * DOCUMENT_BYTES_MAX + b"}", "longer than"),
        (KEYS, many_keys, "more than 100"),
    ],
)
async def test_nonsense_teaches_no_key(
    issuer: ExternalIssuer, authority: Authority, path: str, document: object, told: str
) -> None:
    """The look fails with its reason, and nothing else happens."""
    if document is many_keys:
        document = many_keys(issuer.signer)
    if isinstance(document, dict) and document.get("issuer") == "URL":
        document = {**document, "issuer": issuer.url}
    issuer.publish(path, document)
    async with taking(issuer, authority) as setup:
        with pytest.raises(ServiceUnavailable):
            await setup.verify()
        assert any(each in setup.ring.problem for each in told.split("|")), setup.ring.problem


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(
    issuer: ExternalIssuer, authority: Authority, status: int
) -> None:
    """Not even to the same server."""
    issuer.publish("/moved", issuer.signer.key_set)
    issuer.publish(KEYS, b"", status=status, location=f"{issuer.url}/moved")
    async with taking(issuer, authority) as setup:
        with pytest.raises(ServiceUnavailable):
            await setup.verify()
        assert str(status) in setup.ring.problem
        assert issuer.count("/moved") == 0


async def test_an_issuer_under_another_authority_is_not_believed(
    issuer: ExternalIssuer, tmp_path: Path
) -> None:
    """Its certificate must be of the authority that settings name."""
    async with taking(issuer, Authority(tmp_path, "other")) as setup:
        with pytest.raises(ServiceUnavailable):
            await setup.verify()
        assert issuer.asked == []


async def test_assertions_for_federated_credentials(
    issuer: ExternalIssuer, authority: Authority
) -> None:
    """The claims of a token for exactly the audience; for another one they are not given."""
    async with taking(issuer, authority) as setup:
        exchange = "api://AzureADTokenExchange"
        token = issuer.signer.token(aud=exchange, sub="system:serviceaccount:ns:app")
        claims = await setup.verifier.verified_claims(token, exchange)
        assert (claims["iss"], claims["sub"]) == (issuer.url, "system:serviceaccount:ns:app")
        with pytest.raises(TokenRefused):
            await setup.verifier.verified_claims(token, DATA)
        with pytest.raises(TokenRefused):
            await setup.verifier.verified_claims(issuer.signer.token(aud=exchange)[:-6], exchange)


async def test_keys_from_a_file_are_there_at_once_and_a_bad_file_ends_the_start(
    tmp_path: Path,
) -> None:
    """The setting is named."""
    file = tmp_path / "keys.json"
    settings = {"named": IssuerSettings(issuer="anybody", key_set_file=str(file))}
    dialer = EgressDialer(EgressPolicy())
    for content in (None, "{", '{"keys": []}'):
        if content is not None:
            file.write_text(content)
        verification = Verification(Tokens(), settings, dialer)
        with pytest.raises(SetupError, match=r"issuers\.named\.key_set_file"):
            await verification.start()
        await verification.stop()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"issuer": "http://issuer.example"}, "https only"),
        ({"issuer": "kubernetes/serviceaccount"}, "discovery_url"),
        ({"issuer": "https://a.example", "key_set_url": "ftp://a.example"}, "key_set_url"),
        (
            {"issuer": "https://a.example", "key_set_url": "https://a", "key_set_file": "b"},
            "give one of",
        ),
        ({"issuer": "https://a.example/{tenantid}/"}, "allowed_tenants"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], told: str) -> None:
    """With the key at fault."""
    with pytest.raises(SetupError, match=told) as refused:
        issuer_hosts({"wrong": IssuerSettings(**settings)})
    assert "issuers.wrong" in refused.value.message


def test_an_issuer_is_declared_once() -> None:
    """Two tables could say different things of the same tokens."""
    same = IssuerSettings(issuer="https://a.example")
    with pytest.raises(SetupError, match=r"issuers\.first too"):
        issuer_hosts({"first": same, "second": same})
