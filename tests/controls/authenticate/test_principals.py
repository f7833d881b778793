from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from linarite.controls.authenticate.audiences import DATA_AUDIENCES, MANAGEMENT_AUDIENCES
from linarite.controls.authenticate.issuers import Issuer
from linarite.controls.authenticate.key_ring import KeyRing, OwnKeys, Pace
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.authenticate.principals import principal_of
from linarite.controls.authenticate.verifier import Verifier
from linarite.domain.access_errors import ForeignAudience, ForeignTenant, TokenRefused
from tests.token_signer import SOMEBODY, TENANT, Signer

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.anyio

ISSUER = "https://issuer.example/"
SIGNER = Signer(ISSUER)
GROUP = "cccccccc-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def settings(**more: Any) -> IssuerSettings:  # noqa: ANN401 - any setting
    """Of the issuer."""
    return IssuerSettings(issuer=ISSUER, **more)


def trusting(more: IssuerSettings, signer: Signer = SIGNER) -> Verifier:
    """A verifier of one issuer's tokens."""
    verifier = Verifier(Tokens())

    async def read() -> Mapping[str, Any]:
        return signer.key_set

    ring = KeyRing("one", read, verifier.forget, Pace())
    verifier.trust(Issuer("one", more, ring), (more.issuer,))
    return verifier


def derived(text: str) -> str:
    """As the page on external issuers says."""
    return str(uuid5(uuid5(NAMESPACE_URL, ISSUER), text))


@pytest.mark.parametrize(
    ("claims", "kind", "name"),
    [
        ({"idtyp": "app", "appid": "the-app"}, "ServicePrincipal", "the-app"),
        ({"idtyp": "user", "upn": "ada@example.com"}, "User", "ada@example.com"),
        ({"idtyp": None, "scp": "user_impersonation", "appid": None, "sub": "s"}, "User", "s"),
        ({"idtyp": None, "appid": "the-app"}, "ServicePrincipal", "the-app"),
        ({"idtyp": None, "preferred_username": "ada"}, "User", "ada"),
        (
            {"idtyp": None, "preferred_username": "service-account-robot", "appid": None},
            "ServicePrincipal",
            "service-account-robot",
        ),
        ({"idtyp": None, "appid": None, "sub": "system:x"}, "ServicePrincipal", "system:x"),
    ],
)
def test_kind_and_name_follow_the_claims(claims: dict[str, Any], kind: str, name: str) -> None:
    """As Entra ID, Keycloak and Kubernetes write them."""
    principal = principal_of(SIGNER.claims(**claims), settings())
    assert (principal.kind, principal.name) == (kind, name)


def test_object_ids() -> None:
    """A GUID stays; anything else becomes one, always the same, and apart from groups."""
    claims = SIGNER.claims(oid=SOMEBODY.upper(), groups=[GROUP.upper(), "admins", 7])
    principal = principal_of(claims, settings())
    assert principal.object_id == SOMEBODY
    assert principal.groups == {GROUP, derived("group:admins")}
    claims = SIGNER.claims(oid=None, sub="admins")
    assert principal_of(claims, settings()).object_id == derived("admins")
    claims = SIGNER.claims(groups=[GROUP])
    principal = principal_of(claims, settings(object_ids="derived"))
    assert principal.object_id == derived(SOMEBODY)
    assert principal.groups == {derived(f"group:{GROUP}")}


async def test_nobody_elses_token_names_somebody_of_this_servers_directory() -> None:
    """An issuer could otherwise make itself anybody here; its groups don't count as ours."""
    verifier = trusting(settings())
    verifier.belongs_here = lambda object_id: object_id in {SOMEBODY, GROUP}
    with pytest.raises(TokenRefused) as refused:
        await verifier.verify(SIGNER.token(), DATA_AUDIENCES)
    assert "object_ids" in refused.value.why
    other = "dddddddd-bbbb-4ccc-8ddd-eeeeeeeeeeee"
    token = SIGNER.token(oid=other, groups=[GROUP, other])
    principal = await verifier.verify(token, DATA_AUDIENCES)
    assert (principal.object_id, principal.groups) == (other, {other})


async def test_an_issuers_own_audiences_stand_for_azures() -> None:
    """On the plane that they are set for; Azure's own don't open it then."""
    verifier = trusting(settings(audiences=["linarite"], management_audiences=["linarite-arm"]))
    data, management = SIGNER.token(aud="linarite"), SIGNER.token(aud="linarite-arm")
    azure = SIGNER.token()
    for token, opens, other in (
        (data, DATA_AUDIENCES, MANAGEMENT_AUDIENCES),
        (management, MANAGEMENT_AUDIENCES, DATA_AUDIENCES),
    ):
        assert (await verifier.verify(token, opens)).object_id == SOMEBODY
        with pytest.raises(ForeignAudience):
            await verifier.verify(token, other)
    for audiences in (DATA_AUDIENCES, MANAGEMENT_AUDIENCES):
        with pytest.raises(ForeignAudience):
            await verifier.verify(azure, audiences)


async def test_an_issuer_of_many_tenants() -> None:
    """`iss` must be of the token's `tid`, and that one of those that settings list."""
    many = "https://login.example/{tenantid}/v2.0"
    verifier = trusting(IssuerSettings(issuer=many, allowed_tenants=[TENANT]))
    other = "22222222-2222-4333-8444-555555555555"
    good = SIGNER.token(iss=many.replace("{tenantid}", TENANT))
    assert (await verifier.verify(good, DATA_AUDIENCES)).tenant_id == TENANT
    with pytest.raises(ForeignTenant):
        await verifier.verify(
            SIGNER.token(iss=many.replace("{tenantid}", other), tid=other), DATA_AUDIENCES
        )
    for iss, tid in ((many.replace("{tenantid}", other), TENANT), (many, TENANT), (many, "")):
        with pytest.raises(TokenRefused):
            await verifier.verify(SIGNER.token(iss=iss, tid=tid), DATA_AUDIENCES)


class Directory:
    """Who is in good standing since when."""

    def __init__(self) -> None:
        self.since: int | None = 0
        self.groups = frozenset[str]()

    def groups_of(self, object_id: str) -> frozenset[str]:
        """Of the one there is."""
        assert object_id == SOMEBODY
        return self.groups

    def valid_from(self, tenant_id: str, object_id: str) -> int | None:
        """The same for everybody."""
        assert (tenant_id, object_id) == (TENANT, SOMEBODY)
        return self.since


class Published:
    """This server's own keys."""

    issuers = frozenset((ISSUER,))

    def __init__(self) -> None:
        self.signers = [SIGNER]

    def key_set(self) -> dict[str, Any]:
        """Of all signers."""
        return {"keys": [signer.public for signer in self.signers]}


async def test_own_tokens_end_when_their_principal_does() -> None:
    """Revoked, disabled, or signed by a key that is withdrawn: at once, though remembered."""
    directory, published = Directory(), Published()
    verifier = Verifier(Tokens())
    keys = OwnKeys(published, verifier.forget)
    verifier.trust(Issuer("", settings(), keys, tenants=(TENANT,), standing=directory), (ISSUER,))
    claims = SIGNER.claims()
    token = SIGNER.sign(SIGNER.header(), claims)
    principal = await verifier.verify(token, DATA_AUDIENCES)
    assert verifier.known(token, DATA_AUDIENCES) is principal
    for since in (claims["iat"] + 1, None):
        directory.since = since
        assert verifier.known(token, DATA_AUDIENCES) is None
        with pytest.raises(TokenRefused):
            await verifier.verify(token, DATA_AUDIENCES)
        directory.since = claims["iat"]
        assert await verifier.verify(token, DATA_AUDIENCES) == principal
    second = Signer(ISSUER, kid="second")
    published.signers = [second]
    assert (await verifier.verify(second.token(), DATA_AUDIENCES)).object_id == SOMEBODY
    assert verifier.known(token, DATA_AUDIENCES) is None
    with pytest.raises(TokenRefused):
        await verifier.verify(token, DATA_AUDIENCES)
    with pytest.raises(TokenRefused):
        await verifier.verified_claims(second.token(), SIGNER.claims()["aud"])


async def test_what_is_remembered_is_bounded_and_ends() -> None:
    """The oldest goes first; an expired token is not known any more."""
    now = 1_000_000.0
    verifier = Verifier(Tokens(remembered_max=3), clock=lambda: now)

    async def read() -> Mapping[str, Any]:
        return SIGNER.key_set

    ring = KeyRing("one", read, verifier.forget, Pace())
    verifier.trust(Issuer("one", settings(), ring), (ISSUER,))
    times = {"iat": 999_000, "nbf": 999_000, "exp": 1_000_100}
    tokens = [SIGNER.token(uti=str(each), **times) for each in range(5)]
    for token in tokens:
        await verifier.verify(token, DATA_AUDIENCES)
    assert [verifier.known(token, DATA_AUDIENCES) is not None for token in tokens] == [
        False,
        False,
        True,
        True,
        True,
    ]
    now = 1_000_159.0  # within the skew
    assert verifier.known(tokens[4], DATA_AUDIENCES) is not None
    now = 1_000_161.0
    assert verifier.known(tokens[4], DATA_AUDIENCES) is None
    with pytest.raises(TokenRefused):
        await verifier.verify(tokens[4], DATA_AUDIENCES)
    for each in range(10):
        with pytest.raises(TokenRefused):
            await verifier.verify(f"a.b.{each}", DATA_AUDIENCES)
    assert len(verifier._remembered) <= 6
