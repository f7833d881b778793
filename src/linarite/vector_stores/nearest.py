"""The chunks that lie nearest to a vector: all of them are compared, so none is missed.

The vectors of stores that are searched stay in memory as long as there is room; of those that do
not fit, the rest is read from the disk each time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.vector_store import Block, VectorIndex

BLOCK_CHUNKS = 8_192
FLOAT_BYTES = 4

Array = Any
"""of NumPy, which comes with the extra `documents` and is imported where it is first needed"""


class Near(NamedTuple):
    """A chunk and how near it lies."""

    id: int
    similarity: float
    """the cosine of both vectors: 1 for the same direction"""


class _Part(NamedTuple):
    ids: Array
    files: Array
    matrix: Array

    @property
    def size(self) -> int:
        return int(self.matrix.nbytes) + int(self.ids.nbytes) + int(self.files.nbytes)


class _Held:
    """What is in memory of one store."""

    def __init__(self, removals: int) -> None:
        self.removals = removals
        self.parts: list[_Part] = []

    @property
    def last(self) -> int:
        return int(self.parts[-1].ids[-1]) if self.parts else 0

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)


class NearestChunks:
    """Compares vectors. One for all stores."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def nearest(
        self, name: str, index: VectorIndex, vector: bytes, limit: int, among: set[int] | None
    ) -> list[Near]:
        """The `limit` nearest chunks, the nearest first; `among` are rows of files.

        Raises ValueError where the store's vectors are of another length.
        """
        found: list[Near] = []
        async for part in self._parts(name, index):
            found += await asyncio.to_thread(_nearest, part, vector, limit, among)
        found.sort(key=lambda near: (-near.similarity, near.id))
        return found[:limit]

    async def _parts(self, name: str, index: VectorIndex) -> AsyncIterator[_Part]:
        lock = self._turns.setdefault(name, asyncio.Lock())
        async with lock:  # what is read once is there for who asked at the same time
            held = await self._current(name, index)
            whole = await self._fill(held, name, index)
            parts = list(held.parts)
        for part in parts:
            yield part
        after = held.last
        while not whole:
            block = await index.blocks(after, BLOCK_CHUNKS)
            if not block.ids:
                return
            yield await asyncio.to_thread(_part, block)
            after = block.ids[-1]

    async def _current(self, name: str, index: VectorIndex) -> _Held:
        removals = await index.removals()
        held = self._held.get(name)
        if held is None or held.removals != removals:
            held = self._held[name] = _Held(removals)
        self._held.move_to_end(name)
        return held

    async def _fill(self, held: _Held, name: str, index: VectorIndex) -> bool:
        """Read what has come since; False where there was no room for all."""
        while True:
            block = await index.blocks(held.last, BLOCK_CHUNKS)
            if not block.ids:
                return True
            if not self._has_room(name, len(block.vectors)):
                return False
            part = await asyncio.to_thread(_part, block)
            _append(held, part)

    def _has_room(self, name: str, size: int) -> bool:
        """Whether there is, once stores that nobody searched for longer have given way."""
        if sum(held.size for held in self._held.values()) + size <= self._bytes_max:
            return True
        for other in [each for each in self._held if each != name]:
            del self._held[other]
            if sum(held.size for held in self._held.values()) + size <= self._bytes_max:
                return True
        return False


def _part(block: Block) -> _Part:
    import numpy as np  # noqa: PLC0415 - the extra `documents`

    ids = np.asarray(block.ids, dtype=np.int64)
    vectors = np.frombuffer(block.vectors, dtype="<f4").reshape(len(ids), -1)
    return _Part(ids, np.asarray(block.files, dtype=np.int64), vectors)


def _append(held: _Held, part: _Part) -> None:
    import numpy as np  # noqa: PLC0415 - as above

    if held.parts and len(held.parts[-1].ids) + len(part.ids) <= BLOCK_CHUNKS:
        before = held.parts[-1]
        held.parts[-1] = _Part(
            *(np.concatenate([old, new]) for old, new in zip(before, part, strict=True))
        )
    else:
        held.parts.append(part)


def _nearest(part: _Part, vector: bytes, limit: int, among: set[int] | None) -> list[Near]:
    import numpy as np  # noqa: PLC0415 - as above

    asked = np.frombuffer(vector, dtype="<f4")
    if part.matrix.shape[1] != asked.shape[0]:
        raise ValueError(f"{part.matrix.shape[1]} is not {asked.shape[0]}")
    similarities = part.matrix @ asked
    if among is not None:
        wanted = np.isin(part.files, np.fromiter(among, dtype=np.int64, count=len(among)))
        similarities = np.where(wanted, similarities, -np.inf)
    count = min(limit, len(similarities))
    best = np.argpartition(-similarities, count - 1)[:count]
    return [
        Near(int(part.ids[at]), float(similarities[at]))
        for at in best
        if similarities[at] > -np.inf
    ]
