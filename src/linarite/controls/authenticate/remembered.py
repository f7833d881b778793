"""What was found out about tokens, so that it is found out once."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controls.authenticate.issuers import Issuer
from linarite.domain.principal import Principal

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.access_errors import TokenRefused

FORGET_REFUSED_S = 300.0


class Good(msgspec.Struct, frozen=True):
    """A token that was verified."""

    principal: Principal
    audiences: frozenset[str]
    until: float
    """seconds since the epoch"""
    issued_at: float
    issuer: Issuer


class Remembered:
    """Verified and refused tokens by the SHA-256 of the whole of them, each so many at most.

    The oldest are forgotten first. The tokens themselves are not kept.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._good: dict[bytes, Good] = {}
        self._refused: dict[bytes, tuple[float, type[TokenRefused], str]] = {}

    def good(self, token: str) -> Good | None:
        """What is known of a token that was verified and has not ended."""
        digest = sha256(token.encode()).digest()
        found = self._good.get(digest)
        if found is not None and found.until <= self._clock():
            del self._good[digest]
            return None
        return found

    def keep(self, token: str, found: Good) -> None:
        """Remember a token that was verified."""
        if self._most:
            _make_room(self._good, self._most)
            self._good[sha256(token.encode()).digest()] = found

    def forget(self, token: str) -> None:
        """One that does not hold any more."""
        self._good.pop(sha256(token.encode()).digest(), None)

    def refuse_again(self, token: str) -> None:
        """Raise what was found wrong with a token before, if that can't have changed."""
        digest = sha256(token.encode()).digest()
        found = self._refused.get(digest)
        if found is None:
            return
        until, kind, why = found
        if until <= self._clock():
            del self._refused[digest]
            return
        raise kind(why)

    def keep_refused(self, token: str, refused: TokenRefused) -> None:
        """Remember what was found wrong, where it stays wrong."""
        if self._most and refused.lasting:
            _make_room(self._refused, self._most)
            kept = (self._clock() + FORGET_REFUSED_S, type(refused), refused.why)
            self._refused[sha256(token.encode()).digest()] = kept

    def clear(self) -> None:
        """Find out everything anew."""
        self._good.clear()
        self._refused.clear()

    def __len__(self) -> int:
        return len(self._good) + len(self._refused)


def _make_room(kept: dict[bytes, Any], most: int) -> None:
    while len(kept) >= most:
        del kept[next(iter(kept))]
