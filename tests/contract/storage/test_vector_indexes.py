"""What lies in vector stores: the same in a file and in memory."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING

import pytest

from linarite.domain.postings import postings_of
from linarite.domain.principal import Principal
from linarite.domain.vector_store import (
    SEGMENT_CHUNKS,
    Chunk,
    Chunking,
    FileCounts,
    FileKey,
    FilePage,
    FileProblem,
    NewStoreFile,
)
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.storage.vector_indexes import FolderVectorIndexes

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from linarite.domain.vector_store import VectorIndex, VectorIndexes
    from linarite.storage.vector_index import SqliteVectorIndex

pytestmark = pytest.mark.anyio
MAKER = Principal(kind="Key", name="key1", groups=frozenset(("g",)))


class SealedIndexes(FolderVectorIndexes):
    """Every store is sealed, with a key of its own."""

    def of(self, name: str, key: FileKey | None = None) -> SqliteVectorIndex:
        """See VectorIndexes."""
        del key

        async def read() -> bytes:
            return name.encode().ljust(32, b".")

        return super().of(name, FileKey(read, being_sealed=False))


@pytest.fixture(params=["memory", "folder", "sealed"])
def indexes(request: pytest.FixtureRequest, tmp_path: Path) -> VectorIndexes:
    """Each adapter."""
    if request.param == "memory":
        return MemoryVectorIndexes()
    return (SealedIndexes if request.param == "sealed" else FolderVectorIndexes)(tmp_path)


def new(file_id: str, **said: object) -> NewStoreFile:
    """A file that shall come in."""
    return NewStoreFile(file_id=file_id, filename=f"{file_id}.txt", maker=MAKER, **said)  # pyright: ignore[reportArgumentType] - fields of the struct


def chunk(text: str, *numbers: float, start: int = 0) -> Chunk:
    """A piece of text and its vector."""
    return Chunk(start, text, struct.pack(f"<{len(numbers)}f", *numbers))


async def filled(index: VectorIndex, **texts: str) -> None:
    """Have files come in whole, in this order."""
    for file_id, text in texts.items():
        assert await index.add([new(file_id)], "", 1, 100)
        assert await index.settle(file_id, [chunk(text, 1.0, 0.0)])


async def ids(index: VectorIndex, **said: object) -> list[str]:
    """Of a part of the list."""
    page = FilePage(**({"limit": 10} | said))  # pyright: ignore[reportArgumentType] - as above
    return [each.file_id for each in await index.files(page)]


async def every(index: VectorIndex) -> list[int]:
    """The ids of all chunks that a search compares."""
    found = (await index.segments(0, 0, 10)).those
    return [each.first + at for each in found for at in range(each.size)]


async def test_a_file_comes_in_and_is_found(indexes: VectorIndexes) -> None:
    """First it is coming; then its chunks are there, all at once, and its bytes are counted."""
    index = indexes.of("a")
    assert await index.summary() == (FileCounts(), 0)
    assert await index.add([new("f", attributes={"n": 1}, chunking=Chunking(100, 0))], "", 7, 10)
    assert (await index.summary())[0].in_progress == 1
    coming = await index.file("f")
    assert coming is not None
    assert (coming.status, coming.created_at, coming.maker) == ("in_progress", 7, MAKER)
    assert (coming.attributes, coming.chunking) == ({"n": 1}, Chunking(100, 0))
    assert await index.settle("f", [chunk("blue whale", 1, 0), chunk("red", 0, 1, start=10)])
    counts, usage = await index.summary()
    assert counts == FileCounts(completed=1, total=1)
    assert usage == len("blue whale") + len("red") + 2 * 8
    (segment,) = (await index.segments(0, 0, 10)).those
    assert (segment.size, len(segment.vectors)) == (2, 16)
    assert segment.postings == postings_of(["blue whale", "red"])
    (hit,) = await index.chunks([segment.first])
    assert (hit.file_id, hit.filename, hit.attributes, hit.text) == (
        "f",
        "f.txt",
        {"n": 1},
        "blue whale",
    )


async def test_settling_happens_once(indexes: VectorIndexes) -> None:
    """A file that has come, or was taken out meanwhile, takes no chunks."""
    index = indexes.of("a")
    await filled(index, f="one")
    assert not await index.settle("f", [chunk("two", 1, 0)])
    await index.add([new("g")], "", 1, 10)
    assert await index.remove("g")
    assert not await index.settle("g", [chunk("three", 1, 0)])
    assert len(await every(index)) == 1


async def test_a_failed_file_tells_why_and_may_come_again(indexes: VectorIndexes) -> None:
    """With the reason; added again it comes anew. One that is there stays as it is."""
    index = indexes.of("a")
    await index.add([new("f")], "", 1, 10)
    problem = FileProblem("invalid_file", "No text.")
    await index.settle("f", [], problem)
    failed = await index.file("f")
    assert failed is not None
    assert (failed.status, failed.problem) == ("failed", problem)
    await index.add([new("f")], "", 2, 10)
    again = await index.file("f")
    assert again is not None
    assert (again.status, again.problem, again.created_at) == ("in_progress", None, 2)
    await index.add([new("f")], "", 3, 10)
    same = await index.file("f")
    assert same is not None
    assert same.created_at == 2


async def test_a_removed_file_leaves_no_words_and_no_vectors(indexes: VectorIndexes) -> None:
    """And whoever holds vectors in memory is told that they are not right any more."""
    index = indexes.of("a")
    await filled(index, f="blue", g="red")
    before = (await index.segments(0, 0, 10)).removals
    assert await index.remove("f")
    assert not await index.remove("f")
    (left,) = await every(index)
    assert [each.text for each in await index.chunks([left])] == ["red"]
    assert (await index.segments(left, before + 1, 10)).those == []
    after = await index.segments(left, before, 10)
    assert (after.removals, [each.first for each in after.those]) == (before + 1, [left])
    assert await index.file("f") is None
    assert await index.summary() == (FileCounts(completed=1, total=1), len("red") + 8)


async def test_lists_are_followed_in_both_directions(indexes: VectorIndexes) -> None:
    """Newest first; after one that was taken out meanwhile as well."""
    index = indexes.of("a")
    await filled(index, a="x", b="x", c="x", d="x")
    assert await ids(index, limit=2) == ["d", "c"]
    await index.remove("c")
    assert await ids(index, after="c") == ["b", "a"]
    assert await ids(index, ascending=True, after="c") == ["d"]
    assert await ids(index, before="a") == ["d", "b"]
    assert await ids(index, limit=1, before="a") == ["b"]
    assert await ids(index, status="failed") == []


async def test_batches_count_and_cancel(indexes: VectorIndexes) -> None:
    """A cancelled batch leaves what has come, and stops what has not."""
    index = indexes.of("a")
    assert await index.add([new("f"), new("g")], "vsfb_1", 5, 10)
    await index.add([new("h")], "", 5, 10)
    await index.settle("f", [chunk("x", 1, 0)])
    batch = await index.batch("vsfb_1")
    assert batch is not None
    assert batch.counts == FileCounts(completed=1, in_progress=1, total=2)
    assert await ids(index, batch="vsfb_1") == ["g", "f"]
    await index.cancel_batch("vsfb_1")
    batch = await index.batch("vsfb_1")
    assert batch is not None
    assert batch.cancelled
    assert batch.counts == FileCounts(completed=1, cancelled=1, total=2)
    assert await ids(index, status="in_progress") == ["h"]
    assert await index.batch("vsfb_2") is None


async def test_no_more_files_than_allowed(indexes: VectorIndexes) -> None:
    """Nothing is done then; those that are there already do not count twice."""
    index = indexes.of("a")
    await filled(index, f="x")
    assert not await index.add([new("g"), new("h")], "b", 1, 2)
    assert await index.batch("b") is None
    assert await index.add([new("f"), new("g")], "", 1, 2)


async def test_many_chunks_come_in_several_segments(indexes: VectorIndexes) -> None:
    """Each of one file, in the order of their chunks, some at a time."""
    index = indexes.of("a")
    await index.add([new("f"), new("g")], "", 1, 10)
    await index.settle("g", [chunk(f"g{at}", 0, 1) for at in range(SEGMENT_CHUNKS + 1)])
    await index.settle("f", [chunk("f", 1, 0)])
    first, second, third = (await index.segments(0, 0, 10_000)).those
    assert [each.size for each in (first, second, third)] == [SEGMENT_CHUNKS, 1, 1]
    assert first.file == second.file != third.file
    (only,) = (await index.segments(0, 0, 1)).those
    assert only == first
    (rest,) = (await index.segments(second.first, 0, 10)).those
    assert rest == third
    assert [each.text for each in await index.chunks([second.first])] == [f"g{SEGMENT_CHUNKS}"]


async def test_attributes_are_replaced(indexes: VectorIndexes) -> None:
    """And found by the rows that filters go by."""
    index = indexes.of("a")
    await filled(index, f="x")
    await index.set_attributes("f", {"lang": "de", "n": 2.5, "done": True})
    assert list((await index.attributes()).values()) == [{"lang": "de", "n": 2.5, "done": True}]


async def test_the_whole_text_comes_back(indexes: VectorIndexes) -> None:
    """However its chunks overlap."""
    index = indexes.of("a")
    await index.add([new("f")], "", 1, 10)
    parts = [chunk("abcdef", 1, 0), chunk("defghi", 1, 0, start=3), chunk("ij", 1, 0, start=8)]
    await index.settle("f", parts)
    assert await index.text("f") == "abcdefghij"


async def test_stores_share_nothing(indexes: VectorIndexes) -> None:
    """Each is destroyed by itself, and a write to one that has gone makes none."""
    await filled(indexes.of("a"), f="blue")
    await filled(indexes.of("b"), f="red")
    assert await indexes.names() == ["a", "b"]
    await indexes.remove("a")
    assert await indexes.names() == ["b"]
    assert not await indexes.of("a").settle("f", [])
    assert await every(indexes.of("a")) == []
    assert await indexes.names() == ["b"]
    assert len(await every(indexes.of("b"))) == 1


async def test_writes_that_wait_go_together(indexes: VectorIndexes) -> None:
    """Each with its own result; what fails, or is given up, takes no other with it."""
    index = indexes.of("a")
    names = [f"f{each}" for each in range(100)]
    assert await index.add([new(each) for each in names], "", 1, 100)
    wrong = chunk("\ud800", 1, 0)  # no text that can be kept

    def settled(name: str) -> Coroutine[object, object, bool]:
        return index.settle(name, [wrong if name == "f3" else chunk(f"text of {name}", 1, 0)])

    tasks = [asyncio.create_task(settled(each)) for each in names]
    await asyncio.sleep(0)
    tasks[7].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [at for at, each in enumerate(results) if each is not True]
    assert failed in ([3, 7], [3])
    assert isinstance(results[3], UnicodeEncodeError)
    counts, _ = await index.summary()
    assert counts.completed in {98, 99}
    assert counts.in_progress == 100 - counts.completed
    for name in ("f0", "f8", "f99"):
        assert await index.text(name) == f"text of {name}"
    assert await index.settle("f3", [])
    await indexes.remove("a")
    assert not await index.settle("f4", [])
    assert await indexes.names() == []
