"""The keys of one issuer, kept fresh behind the requests' backs."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from linarite.controls.authenticate.key_set import PublicKey, read_key_set
from linarite.domain.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.domain.principal import PublishedKeys

log = structlog.get_logger("linarite.tokens")


class Keys(Protocol):
    """Where a verifier finds the key that a token names."""

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that id; None when the issuer has none such.

        Raises ServiceUnavailable when the issuer's keys are not known now.
        """
        ...


class OwnKeys:
    """The keys of this server itself: always there."""

    def __init__(self, published: PublishedKeys, changed: Callable[[], None]) -> None:
        """`changed` is called when there are others than before."""
        self._published = published
        self._changed = changed
        self._document: dict[str, Any] = {}
        self._keys: dict[str, PublicKey] = {}

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that id, as they are published now."""
        document = self._published.key_set()
        if document != self._document:
            self._keys, self._document = read_key_set(document), document
            self._changed()
        return self._keys.get(kid)


class Pace(msgspec.Struct, frozen=True):
    """How often an issuer is asked, in seconds."""

    refresh_s: float = 3600.0
    """between two looks when all is well"""
    retry_s: float = 30.0
    """after a failure, and the least between two looks for keys that are not known"""
    stale_s: float = 86_400.0
    """how long keys hold that can't be read again"""
    wait_s: float = 5.0
    """the longest that a request waits for a look"""


class KeyRing:
    """Keys that are read from elsewhere: a file, or the issuer's own server."""

    def __init__(
        self,
        name: str,
        read: Callable[[], Awaitable[Mapping[str, Any]]],
        changed: Callable[[], None],
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`read` gives the key set, or raises ValueError or OSError that say what is wrong.

        `changed` is called when there are others than before. `name` is that of the settings.
        """
        self._name = name
        self._read = read
        self._changed = changed
        self._pace = pace
        self._clock = clock
        self._document: Mapping[str, Any] | None = None
        self._keys: dict[str, PublicKey] = {}
        self._read_at: float | None = None
        self._tried_at: float | None = None
        self._look: asyncio.Task[None] | None = None
        self.problem = "they have not been read yet"
        """why the last look failed; "" when it did not"""

    @property
    def fresh(self) -> bool:
        """Whether the keys are known, and not too old to be believed."""
        return self._read_at is not None and self._clock() - self._read_at < self._pace.stale_s

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that id, after a look at the issuer if it is not known and none was lately."""
        if kid not in self._keys or not self.fresh:
            await self._look_again()
        if not self.fresh:
            raise ServiceUnavailable(
                f"the keys of the token's issuer '{self._name}' can't be had", self._pace.retry_s
            )
        return self._keys.get(kid)

    async def keep_fresh(self) -> None:
        """Look now, and then again and again until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._pace.retry_s if self.problem else self._pace.refresh_s)

    async def look(self) -> None:
        """Read the keys now; one look at a time, however many ask. Never raises."""
        if self._look is None or self._look.done():
            self._tried_at = self._clock()
            self._look = asyncio.create_task(self._look_once())
        await asyncio.shield(self._look)

    async def close(self) -> None:
        """Give up a look that is under way."""
        if self._look is not None:
            self._look.cancel()
            await asyncio.gather(self._look, return_exceptions=True)

    async def _look_again(self) -> None:
        under_way = self._look is not None and not self._look.done()
        lately = self._tried_at is not None and (
            self._clock() - self._tried_at < self._pace.retry_s
        )
        if lately and not under_way:
            return
        try:
            async with asyncio.timeout(self._pace.wait_s):
                await self.look()
        except TimeoutError:
            return

    async def _look_once(self) -> None:
        try:
            document = await self._read()
            keys = read_key_set(document)
            if not keys:
                raise ValueError("no key in it can verify tokens")  # noqa: TRY301 - told below
        except (ValueError, OSError) as problem:
            self.problem = str(problem) or type(problem).__name__
            log.warning("keys of issuer not read", issuer=self._name, why=self.problem)
            return
        self._read_at = self._clock()
        self.problem = ""
        if document != self._document:
            self._document, self._keys = document, keys
            log.info("keys of issuer read", issuer=self._name, keys=len(keys))
            self._changed()
