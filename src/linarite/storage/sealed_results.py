"""Results of running batches that are sealed where their account asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.batch import Done, LineResult, ResultLog
    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.secret_box import SecretBox

PLAIN = b"{"
"""how a line begins that is not sealed"""


class SealedResultLog:
    """`ResultLog` over another, to which no result comes in the clear that must be sealed.

    A result is bound to its batch. Places, outcomes and counts of tokens stay readable.
    """

    def __init__(self, kept: ResultLog, seals: ContentSeals) -> None:
        self._kept = kept
        self._seals = seals
        self._boxes: dict[str, SecretBox | None] = {}
        self.flush = kept.flush
        self.names = kept.names

    async def done(self, name: str, total: int, account_id: str) -> Done:
        """See ResultLog. Raises CustomerKeyUnavailable."""
        self._boxes[name] = await self._seals.box_for_new(account_id)
        return await self._kept.done(name, total, account_id)

    def add(self, name: str, result: LineResult) -> None:
        """See ResultLog."""
        box = self._boxes.get(name)
        if box is not None:
            text = box.seal(_bound_to(name), result.text).encode()
            result = msgspec.structs.replace(result, text=text)
        self._kept.add(name, result)

    async def lines(self, name: str, account_id: str, *, failed: bool) -> AsyncIterator[bytes]:
        """See ResultLog. Raises ContentDamaged, CustomerKeyUnavailable."""
        box: SecretBox | None = None
        async for piece in self._kept.lines(name, account_id, failed=failed):
            lines = piece.splitlines()
            if box is None and not all(line.startswith(PLAIN) for line in lines):
                box = await self._seals.box_of(account_id)
            yield b"".join(b"%b\n" % _opened(name, line, box) for line in lines)

    async def remove(self, name: str) -> None:
        """See ResultLog."""
        self._boxes.pop(name, None)
        await self._kept.remove(name)


def _opened(name: str, line: bytes, box: SecretBox | None) -> bytes:
    if line.startswith(PLAIN) or box is None:
        return line
    try:
        return box.unseal(_bound_to(name), line.decode())
    except (SetupError, ValueError):
        raise ContentDamaged from None


def _bound_to(name: str) -> str:
    return f"batch_result {name}"
