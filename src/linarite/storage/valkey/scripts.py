"""The scripts that run inside the store, and what they are told."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.ledger import SLIDING_S, Window
from linarite.storage.valkey.connection import StoreError

if TYPE_CHECKING:
    import asyncio

    from linarite.domain.ledger import Bucket
    from linarite.storage.valkey.connection import Connection

PREFIX = "{linarite}:"
"""of all keys; the braces keep them in one slot of a cluster, which scripts need"""
CLOCK = f"{PREFIX}clock"
SERVERS = f"{PREFIX}servers"
KINDS = {
    **{window: ("sliding", round(span_s * 1000)) for window, span_s in SLIDING_S.items()},
    Window.FIXED_MINUTE: ("fixed", 60_000),
    Window.LEAKY_MINUTE: ("leaky", 60_000),
    Window.DAY: ("day", 0),
    Window.MONTH: ("month", 0),
    Window.HELD: ("held", 1000),
}
"""each window's name in the scripts and its span in milliseconds; of places that are held, when to
come again"""


class Script(msgspec.Struct, frozen=True):
    """One script, sent whole only where the store does not know it yet."""

    text: str
    digest: str

    async def run(
        self, connection: Connection, keys: list[str], arguments: list[str | int]
    ) -> list[Any]:
        """What it answers. Raises StoreError, StoreLost."""
        try:
            return await self.ask(connection, keys, arguments)
        except StoreError as problem:
            if not str(problem).startswith("NOSCRIPT"):
                raise
        return await connection.ask("EVAL", self.text, len(keys), *keys, *arguments)

    def ask(
        self, connection: Connection, keys: list[str], arguments: list[str | int]
    ) -> asyncio.Future[list[Any]]:
        """The same, in the hope that it is known."""
        return connection.ask("EVALSHA", self.digest, len(keys), *keys, *arguments)


def _script(name: str) -> Script:
    folder = files("linarite.storage.valkey")
    text = "\n".join((folder / f"{each}.lua").read_text("utf-8") for each in ("prelude", name))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


RESERVE, SETTLE, CORRECT, LEFT, BEAT, STEP = map(
    _script, ("reserve", "settle", "correct", "left", "beat", "step")
)


@lru_cache(maxsize=16_384)
def key_of(bucket_key: str) -> str:
    """Short, and telling nobody who reads the store whose it is."""
    return f"{PREFIX}b:{hashlib.blake2b(bucket_key.encode(), digest_size=16).hexdigest()}"


def told(bucket: Bucket) -> tuple[str, int, int]:
    """Kind, span and limit."""
    kind, span = KINDS[bucket.window]
    return kind, span, bucket.limit
