from __future__ import annotations

import pytest

from linarite.controls.authenticate.audiences import DATA_AUDIENCES, MANAGEMENT_AUDIENCES
from linarite.controls.authenticate.issuers import Issuer
from linarite.controls.authenticate.key_ring import KeyRing, Pace
from linarite.controls.authenticate.options import IssuerSettings, Tokens
from linarite.controls.authenticate.verifier import Verifier
from linarite.domain.access_errors import ForeignAudience, ForeignTenant, TokenRefused
from tests.forged_tokens import FORGED, GOOD, OTHER
from tests.token_signer import DATA, MANAGEMENT, SOMEBODY, TENANT, Signer

pytestmark = pytest.mark.anyio


def trusting(*signers: Signer, keys: dict[str, object] | None = None) -> Verifier:
    """A verifier that knows these issuers' keys; their tokens must be of the usual tenant.

    `keys` are what all of them publish instead of their own.
    """
    verifier = Verifier(Tokens())
    for signer in signers:
        settings = IssuerSettings(
            issuer=signer.issuer,
            allowed_tenants=[TENANT],
            algorithms=[signer.algorithm],  # pyright: ignore[reportArgumentType] # one of them
        )

        async def read(keys: dict[str, object] = keys or signer.key_set) -> dict[str, object]:
            return keys

        ring = KeyRing("issuer", read, verifier.forget, Pace())
        verifier.trust(Issuer("issuer", settings, ring), (signer.issuer,))
    return verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    """It trusts two issuers."""
    return trusting(GOOD, OTHER)


def test_there_are_many() -> None:
    """Every way that is known to be tried."""
    assert len(FORGED) >= 100


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_refused_and_stays_refused(verifier: Verifier, name: str) -> None:
    """At first sight, and when it comes again; and a good one before changes nothing."""
    assert (await verifier.verify(GOOD.token(), DATA_AUDIENCES)).object_id == SOMEBODY
    token = FORGED[name]()
    for audiences in (DATA_AUDIENCES, MANAGEMENT_AUDIENCES) * 2:
        with pytest.raises((TokenRefused, ForeignTenant)) as refused:
            await verifier.verify(token, audiences)
        assert verifier.known(token, audiences) is None
        refused.value.message.encode()
        assert token not in str(refused.value.hint)


@pytest.mark.parametrize(
    "audience",
    [DATA, f"{DATA}/", "https://ai.azure.com", "https://ai.azure.com/", ["other", DATA]],
)
async def test_a_good_token_is_known_from_then_on(
    verifier: Verifier, audience: str | list[str]
) -> None:
    """For the plane that it is for, and not for the other one."""
    token = GOOD.token(aud=audience, uti=str(audience))
    assert verifier.known(token, DATA_AUDIENCES) is None
    principal = await verifier.verify(token, DATA_AUDIENCES)
    assert verifier.known(token, DATA_AUDIENCES) is principal
    assert verifier.known(token, MANAGEMENT_AUDIENCES) is None
    with pytest.raises(ForeignAudience):
        await verifier.verify(token, MANAGEMENT_AUDIENCES)
    assert (principal.kind, principal.object_id) == ("ServicePrincipal", SOMEBODY)
    assert (principal.tenant_id, principal.token_id) == (TENANT, str(audience))


@pytest.mark.parametrize(
    "algorithm", ["RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
)
async def test_other_ways_of_signing_are_taken_where_they_are_set(algorithm: str) -> None:
    """And then no other: a signature by RS256 is refused."""
    signer = Signer("https://modern.example/", algorithm=algorithm)
    verifier = trusting(signer)
    principal = await verifier.verify(signer.token(), DATA_AUDIENCES)
    assert principal.object_id == SOMEBODY
    disguised = signer.sign(signer.header(alg="RS256"), signer.claims())
    with pytest.raises(TokenRefused):
        await verifier.verify(disguised, DATA_AUDIENCES)


async def test_a_token_that_begins_like_a_known_one_is_another(verifier: Verifier) -> None:
    """However much of it is the same: only the whole counts."""
    token = GOOD.token()
    await verifier.verify(token, DATA_AUDIENCES)
    for cut in (20, len(token) // 2, len(token) - 1):
        changed = token[:cut] + ("A" if token[cut] != "A" else "B") + token[cut + 1 :]
        assert verifier.known(changed, DATA_AUDIENCES) is None
        with pytest.raises(TokenRefused):
            await verifier.verify(changed, DATA_AUDIENCES)


async def test_the_other_planes_token_is_good_there(verifier: Verifier) -> None:
    """A refusal for its audience is not remembered as one for good."""
    token = GOOD.token(aud=MANAGEMENT)
    with pytest.raises(ForeignAudience):
        await verifier.verify(token, DATA_AUDIENCES)
    assert (await verifier.verify(token, MANAGEMENT_AUDIENCES)).object_id == SOMEBODY


def test_a_claim_is_read_without_a_signature_and_proves_nothing() -> None:
    """Who does not even claim to be wanted is found out before anything is verified."""
    verifier = trusting(GOOD)
    wanted = frozenset((SOMEBODY,))
    unproved = OTHER.sign(OTHER.header(), GOOD.claims())
    assert verifier.says_to_be(unproved, wanted)
    assert verifier.known(unproved, DATA_AUDIENCES) is None
    assert not verifier.says_to_be(unproved, frozenset((TENANT,)))
    for name in ("expired", "nobody", "two parts", "exp absent", "jku", "issuer of another"):
        assert not verifier.says_to_be(FORGED[name](), wanted), name


@pytest.mark.parametrize("odd", [{"use": ["sig"]}, {"use": {}}, {"alg": ["RS256"]}, {"alg": {}}])
async def test_an_odd_key_verifies_nothing_and_leaves_the_others(odd: dict[str, object]) -> None:
    """What should be a text may be anything; the issuer's other keys are good all the same."""
    signer = Signer("https://odd.example/")
    another = Signer(signer.issuer, kid="odd")
    keys: dict[str, object] = {"keys": [{**another.public, **odd}, signer.public]}
    verifier = trusting(signer, keys=keys)
    with pytest.raises(TokenRefused):
        await verifier.verify(another.token(), DATA_AUDIENCES)
    assert (await verifier.verify(signer.token(), DATA_AUDIENCES)).object_id == SOMEBODY
