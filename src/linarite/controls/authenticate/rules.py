"""What a signed token's claims must say, whoever it is of."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from linarite.domain.access_errors import ForeignAudience, TokenExpired, TokenRefused

END_OF_TIME = 253_402_300_799
"""9999-12-31: a later second is a slip or an attack"""
AUDIENCES_MAX = 100


class Validity(msgspec.Struct, frozen=True):
    """When a token is good, in seconds since the epoch."""

    issued_at: float
    """0 where it does not say"""
    until: float


def validity(claims: dict[str, Any], now: float, skew_s: float) -> Validity:
    """The times of a token that is good now. Raises TokenRefused and TokenExpired."""
    until = _seconds(claims, "exp")
    if until is None:
        raise TokenRefused("The claim 'exp' is missing: a token must end.")
    if until <= now - skew_s:
        raise TokenExpired(f"The token has expired {now - until:.0f} seconds ago ('exp').")
    for name in ("nbf", "iat"):
        begin = _seconds(claims, name)
        if begin is not None and begin > now + skew_s:
            raise TokenRefused(
                f"The claim '{name}' lies {begin - now:.0f} seconds in the future: the clock of "
                "this server or of the issuer is wrong, or the token was made for later.",
                lasting=False,
            )
    return Validity(issued_at=_seconds(claims, "iat") or 0.0, until=until + skew_s)


def audiences_of(claims: dict[str, Any]) -> frozenset[str]:
    """For whom a token is. Raises TokenRefused when it does not say."""
    said: object = claims.get("aud")
    if isinstance(said, str):
        return frozenset((said,))
    if isinstance(said, list):
        listed = cast("list[object]", said)
        names = [each for each in listed if isinstance(each, str)]
        if names and len(names) == len(listed) <= AUDIENCES_MAX:
            return frozenset(names)
    raise TokenRefused("The claim 'aud' must be a text or a list of texts.")


def foreign_audience(said: frozenset[str], wanted: frozenset[str]) -> ForeignAudience:
    """The refusal of a token that is for somebody else."""
    shown = ", ".join(sorted(said))[:200]
    return ForeignAudience(
        f"The token's audience ('aud') is '{shown}'; here it must be one of "
        f"{', '.join(sorted(wanted))}.",
        lasting=False,  # it may be right for the other plane
    )


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value: object = claims[name]
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not 0 <= value <= END_OF_TIME  # NaN is not
    ):
        raise TokenRefused(
            f"The claim '{name}' must be a number of seconds since 1970, not in quotes."
        )
    return float(value)
