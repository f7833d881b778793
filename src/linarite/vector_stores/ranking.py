"""The chunks that are nearest to a vector, and those that have its words best.

All of them are compared, so none is missed. What is compared of the stores that are searched stays
in memory as long as there is room; of those that do not fit, the rest is read from the disk each
time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from linarite.domain.postings import terms_of
from linarite.domain.unbroken import unbroken
from linarite.vector_stores.block import Block, BlockSearch, block_of, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.vector_store import Segment, VectorIndex
    from linarite.vector_stores.block import Near, Worded

BLOCK_CHUNKS = 8_192
THREADS = 2
"""that compare for one search: two read memory about as fast as more do"""


class Asked(NamedTuple):
    """What is looked for."""

    vector: bytes
    words: str = ""
    """"" where they do not count"""


class Ranked(NamedTuple):
    """What was found of either kind, the best first."""

    near: list[Near]
    matching: list[Worded]


class ChunkRanker:
    """Compares chunks. One for all stores."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def ranked(
        self,
        name: str,
        index: VectorIndex,
        asked: Sequence[Asked],
        limit: int,
        among: set[int] | None = None,
    ) -> list[Ranked]:
        """For each that is asked, the `limit` best chunks of either kind.

        `among` are rows of files. Raises ValueError where the store's vectors are of another
        length, and what VectorIndex raises.
        """
        lock = self._turns.setdefault(name, asyncio.Lock())
        async with lock:  # what is read once is there for who asked at the same time
            held, whole = await self._current(name, index)
            blocks, removals = list(held.blocks), held.removals
        searches = await asyncio.to_thread(_searches, asked, limit, among)
        await asyncio.gather(
            *(
                asyncio.to_thread(_look, searches, blocks[at::THREADS])
                for at in range(min(THREADS, len(blocks)))
            )
        )
        after = int(blocks[-1].ids[-1]) if blocks else 0
        while not whole:
            segments = (await index.segments(after, removals, BLOCK_CHUNKS)).those
            if not segments or segments[0].first <= after:  # chunks were taken out meanwhile
                break
            await asyncio.to_thread(_look_once, searches, segments)
            after = _last(segments)
        return await asyncio.to_thread(
            lambda: [Ranked(each.near(), each.matching()) for each in searches]
        )

    def forget(self, name: str) -> None:
        """Drop what is in memory of a store."""
        self._held.pop(name, None)

    async def _current(self, name: str, index: VectorIndex) -> tuple[_Held, bool]:
        """What is in memory, with what has come since; False where there was no room for all."""
        held = self._held.get(name) or _Held(0)
        whole = True
        while True:
            found = await index.segments(held.last, held.removals, BLOCK_CHUNKS)
            if found.removals != held.removals:
                held = _Held(found.removals)
            self._held[name] = held
            self._held.move_to_end(name)
            if not found.those:
                break
            if not self._has_room(name, sum(map(_bytes, found.those))):
                whole = False
                break
            await unbroken(asyncio.to_thread(held.add, found.those))
        return held, whole

    def _has_room(self, name: str, size: int) -> bool:
        """Whether there is, once stores that nobody searched for longer have given way."""
        if sum(held.size for held in self._held.values()) + size <= self._bytes_max:
            return True
        for other in [each for each in self._held if each != name]:
            del self._held[other]
            if sum(held.size for held in self._held.values()) + size <= self._bytes_max:
                return True
        return False


class _Held:
    """What is in memory of one store."""

    def __init__(self, removals: int) -> None:
        self.removals = removals
        self.blocks: list[Block] = []

    @property
    def last(self) -> int:
        return int(self.blocks[-1].ids[-1]) if self.blocks else 0

    @property
    def size(self) -> int:
        return sum(each.size for each in self.blocks)

    def add(self, segments: Sequence[Segment]) -> None:
        """Behind the others; small blocks become one."""
        block = block_of(segments)
        if self.blocks and len(self.blocks[-1].ids) + len(block.ids) <= BLOCK_CHUNKS:
            self.blocks[-1] = joined(self.blocks[-1], block)
        else:
            self.blocks.append(block)


def _searches(asked: Sequence[Asked], limit: int, among: set[int] | None) -> list[BlockSearch]:
    return [BlockSearch(each.vector, list(terms_of(each.words)), limit, among) for each in asked]


def _look(searches: Sequence[BlockSearch], blocks: Sequence[Block]) -> None:
    for block in blocks:
        for each in searches:
            each.look(block)


def _look_once(searches: Sequence[BlockSearch], segments: Sequence[Segment]) -> None:
    _look(searches, [block_of(segments)])


def _bytes(segment: Segment) -> int:
    words = segment.postings
    return len(segment.vectors) + len(words.terms) + len(words.places) + len(words.counts)


def _last(segments: Sequence[Segment]) -> int:
    return segments[-1].first + segments[-1].size - 1
