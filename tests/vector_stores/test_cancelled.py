"""Whoever is cancelled while a vector store is filled or searched leaves nothing half."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import pytest

from linarite.domain.vector_store import Chunk, NewStoreFile
from linarite.storage.vector_indexes import FolderVectorIndexes
from linarite.vector_stores import ranking
from linarite.vector_stores.block import block_of
from linarite.vector_stores.ranking import Asked, ChunkRanker
from tests.cancelling import cancelled_at_every_await
from tests.vector_stores.test_keeper import FILE, MAKER, NEW, Rig
from tests.vector_stores.test_search import packed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import Segment
    from linarite.vector_stores.block import Block

pytestmark = pytest.mark.anyio


async def test_files_that_come_are_taken_in(tmp_path: Path) -> None:
    """By one job: files that nobody takes in would be coming until the next start."""
    rig = Rig(indexes=FolderVectorIndexes(tmp_path))
    begun: list[str] = []

    async def begin(store: StoredObject) -> None:
        begun.append(store.id)

    rig.keeper.begin = begin
    stores = [await rig.keeper.create(NEW)]
    async for _ in cancelled_at_every_await(lambda: rig.keeper.add_files(stores[-1], [FILE])):
        counts, _ = await rig.keeper.index(stores[-1]).summary()
        assert begun.count(stores[-1].id) == counts.in_progress
        await rig.keeper.add_files(stores[-1], [FILE])
        assert begun.count(stores[-1].id) == 1
        stores.append(await rig.keeper.create(NEW))


async def test_every_chunk_is_compared_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where whoever read it first has left while a thread put it into memory."""

    def slowly(segments: Sequence[Segment]) -> Block:
        Event().wait(0.01)
        return block_of(segments)

    monkeypatch.setattr(ranking, "block_of", slowly)
    index = FolderVectorIndexes(tmp_path).of("a")
    ranker = ChunkRanker(1_000_000)
    count = 300
    new = NewStoreFile(file_id="file-1", filename="x", maker=MAKER)
    await index.add([new], "", 1, 10)
    await index.settle("file-1", [Chunk(at, "word", packed(1, at)) for at in range(count)])

    async def found() -> list[int]:
        (ranked,) = await ranker.ranked("a", index, [Asked(packed(1, 0))], 2 * count)
        return [each.id for each in ranked.near]

    async for _ in cancelled_at_every_await(found):
        ids = await found()
        assert len(ids) == len(set(ids)) == count
        assert len({*await found()}) == count
        ranker.forget("a")
