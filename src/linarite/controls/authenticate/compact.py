"""Reading a token before anything in it is believed: its form, its header, its claims."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import msgspec

from linarite.controls.authenticate.strict_json import strict_object
from linarite.domain.access_errors import TokenRefused

_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_TYPES = frozenset(("", "jwt", "at+jwt", "application/at+jwt"))
_NEVER = frozenset(
    ("jku", "jwk", "x5u", "x5c", "crit", "b64", "cty", "zip", "enc", "epk", "apu", "apv")
)
"""they would have the token say how it is to be verified, or make it something else than a JWT"""
KID_CHARACTERS_MAX = 256


class Unverified(msgspec.Struct, frozen=True):
    """What a token says of itself. Nothing of it is proved."""

    text: str
    signature: bytes
    algorithm: str
    kid: str
    claims: dict[str, Any]
    issuer: str


def read_compact(token: str, bytes_max: int) -> Unverified:
    """Take a token apart. Raises TokenRefused for what is not exactly a signed JWT."""
    if len(token) > bytes_max:
        raise TokenRefused(
            f"The token is longer than {bytes_max} bytes (the setting tokens.bytes_max)."
        )
    if not _FORM.fullmatch(token):
        raise TokenRefused(
            "It must be a signed JWT: three parts in base64url without padding, joined by dots."
        )
    first, second, third = token.split(".")
    header = _object(first, "header")
    claims = _object(second, "payload")
    kid = _checked(header)
    issuer = claims.get("iss")
    if not isinstance(issuer, str):
        raise TokenRefused("The claim 'iss' is missing or is no text.")
    return Unverified(
        text=token,
        signature=_decoded(third, "signature"),
        algorithm=header["alg"],
        kid=kid,
        claims=claims,
        issuer=issuer,
    )


def _checked(header: dict[str, Any]) -> str:
    """The key's id of a header that asks for nothing we must not do."""
    forbidden = sorted(_NEVER & header.keys())
    if forbidden:
        raise TokenRefused(f"The header has '{forbidden[0]}', which is not allowed.")
    if not isinstance(header.get("alg"), str):
        raise TokenRefused("The header's 'alg' is missing or is no text.")
    kind = header.get("typ", "")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise TokenRefused("The header's 'typ' must be 'JWT' or 'at+jwt' where there is one.")
    kid = header.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= KID_CHARACTERS_MAX:
        raise TokenRefused("The header's 'kid' must name the key that signed the token.")
    return kid


def _object(part: str, name: str) -> dict[str, Any]:
    try:
        return strict_object(_decoded(part, name))
    except ValueError as problem:
        why = "it is no UTF-8" if isinstance(problem, UnicodeError) else problem
        raise TokenRefused(f"The token's {name} can't be read: {why}.") from None


def _decoded(part: str, name: str) -> bytes:
    """The bytes of a part that is spelled as only one text can spell them."""
    try:
        raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raw = b""
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise TokenRefused(f"The token's {name} is not base64url.")
    return raw
