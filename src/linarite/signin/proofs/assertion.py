"""Client assertions: signed by the client's own certificate, or by another issuer it trusts.

Source: learn.microsoft.com, "Application authentication certificate credentials" and "Workload
identity federation"; RFC 7523.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from linarite.domain.access_errors import TokenRefused
from linarite.signin.refusals import refused
from linarite.signin.tokens.signing_keys import UNREADABLE, NotOurs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.signin.clients import Client
    from linarite.signin.desk import Desk
    from linarite.signin.directory.records import Certificate, FederatedCredential
    from linarite.signin.request import Ask

ALGORITHMS = ["RS256", "PS256"]
SKEW_S = 300
ASSERTION_CHARACTERS_MAX = 32 * 1024


def assertion_subject(assertion: str) -> str:
    """The subject that an unverified assertion names. Raises SignInRefused."""
    return str(_unverified(assertion)[1].get("sub", ""))


async def prove_by_assertion(assertion: str, client: Client, ask: Ask, desk: Desk) -> Client:
    """The client, proved by an assertion. Raises SignInRefused."""
    header, claims = _unverified(assertion)
    if claims.get("iss") == claims.get("sub") and str(claims.get("sub", "")).lower() in (
        client.app_id,
        "",
    ):
        await _by_certificate(assertion, header, client, ask, desk)
        return msgspec.structs.replace(client, proof="2", how="certificate")
    await _by_federation(assertion, claims, client, desk)
    return msgspec.structs.replace(client, proof="2", how="federated")


async def _by_certificate(
    assertion: str, header: dict[str, Any], client: Client, ask: Ask, desk: Desk
) -> None:
    kept = [
        each
        for holder in (client.application, client.principal)
        if holder is not None
        for each in holder.certificates
    ]
    certificate = _named(header, kept)
    moment = desk.now()
    if not certificate.starts_at - SKEW_S <= moment < certificate.ends_at:
        raise refused(700027, why="the certificate's own time is over, or has not begun")
    try:
        key = x509.load_pem_x509_certificate(certificate.pem.encode()).public_key()
        public = RSAKey.import_key(cast("Any", key))
        token = await asyncio.to_thread(jwt.decode, assertion, public, ALGORITHMS)
    except UNREADABLE:
        raise refused(700027, why="the signature is another key's") from None
    claims = token.claims
    if str(claims.get("sub", "")).lower() != client.app_id:
        raise refused(700021)
    _require_time(claims, moment)
    _require_audience(claims, ask, desk)


def _named(header: dict[str, Any], kept: list[Certificate]) -> Certificate:
    """The certificate that an assertion's header names."""
    names = {str(header[name]).rstrip("=") for name in ("x5t#S256", "x5t", "kid") if name in header}
    names |= {_from_hexadecimal(name) for name in names}
    for each in kept:
        if not names.isdisjoint((each.sha256, each.sha1)):
            return each
    shown = ", ".join(sorted(filter(None, names))) or "none"
    raise refused(700027, why=f"its header names the thumbprint {shown}")


def _from_hexadecimal(name: str) -> str:
    """A thumbprint in hexadecimal digits, as `kid` sometimes has it, in base64url."""
    try:
        return base64.urlsafe_b64encode(binascii.unhexlify(name)).decode().rstrip("=")
    except (binascii.Error, ValueError):
        return ""


def _require_time(claims: Mapping[str, Any], moment: float) -> None:
    ends, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(ends, int | float) or moment >= ends + SKEW_S:
        raise refused(700024, why="its exp is missing or over")
    if not isinstance(begins, int | float) or moment < begins - SKEW_S:
        raise refused(700024, why="its nbf has not come yet")


def _require_audience(claims: dict[str, Any], ask: Ask, desk: Desk) -> None:
    """It must be made for this token endpoint, or for the issuer as a whole."""
    own = {urlsplit(ask.base_url).netloc.lower(), urlsplit(desk.options.issuer).netloc.lower()}
    for audience in _audiences(claims):
        try:
            parts = urlsplit(audience)
        except ValueError:
            continue
        tenant = parts.path.strip("/").partition("/")[0].lower()
        ours = tenant in {desk.tenant, "common", "organizations", "adfs"}
        if parts.netloc.lower() in own and ours:
            return
    raise refused(700023, audience=", ".join(_audiences(claims)))


async def _by_federation(
    assertion: str, claims: dict[str, Any], client: Client, desk: Desk
) -> None:
    audiences = set(_audiences(claims))
    kept = [
        *(client.application.federated if client.application else ()),
        *(desk.book.federated_of(client.principal) if client.principal else ()),
    ]
    match = next((each for each in kept if _is_meant(each, claims, audiences)), None)
    if match is None:
        raise refused(
            70021,
            issuer=str(claims.get("iss", "")),
            subject=str(claims.get("sub", "")),
            audience=", ".join(sorted(audiences)),
            client=client.app_id,
        )
    try:
        if match.issuer in desk.keys.issuers:
            verified = await _of_good_standing(assertion, desk)
        elif desk.others is None:
            raise refused(
                700213, why=f"settings declare no issuer '{match.issuer}' whose keys are known"
            )
        else:
            meant = next(each for each in match.audiences if each in audiences)
            verified = await desk.others.verified_claims(assertion, meant)
            if not _is_meant(match, verified, audiences):
                raise refused(700213, why="its issuer or subject is not what it claims")
    except NotOurs as problem:
        raise refused(700213, why=str(problem)) from None
    except TokenRefused as problem:
        raise refused(700213, why=problem.why) from None
    _require_time(verified, desk.now())


async def _of_good_standing(assertion: str, desk: Desk) -> dict[str, Any]:
    """The claims of a token of ours whose principal still holds. Raises NotOurs."""
    claims = await desk.keys.read(assertion)
    since = desk.book.valid_from(str(claims.get("tid")), str(claims.get("oid")))
    if since is None or claims["iat"] < since:
        raise NotOurs("its principal is gone, disabled or signed out")
    return claims


def _is_meant(
    credential: FederatedCredential, claims: Mapping[str, Any], audiences: set[str]
) -> bool:
    return (
        credential.issuer == claims.get("iss")
        and credential.subject == claims.get("sub")
        and not audiences.isdisjoint(credential.audiences)
    )


def _unverified(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand there, believed by nobody yet."""
    if len(assertion) > ASSERTION_CHARACTERS_MAX:
        raise refused(50027, why="it is too long")
    try:
        compact = jws.extract_compact(assertion.encode())
        claims = msgspec.json.decode(compact.payload, type=dict[str, Any])
    except (*UNREADABLE, msgspec.DecodeError):
        raise refused(50027, why="it is not three parts in base64url with JSON in them") from None
    return dict(compact.headers()), claims


def _audiences(claims: dict[str, Any]) -> list[str]:
    told = claims.get("aud", "")
    return (
        [str(each) for each in cast("list[object]", told)]
        if isinstance(told, list)
        else [str(told)]
    )
