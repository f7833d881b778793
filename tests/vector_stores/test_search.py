"""Ranks that are fused, and vectors that are compared."""

from __future__ import annotations

import math
import random
import struct
import subprocess
import sys

import pytest

from linarite.domain.principal import Principal
from linarite.domain.vector_store import Chunk, NewStoreFile
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.vector_stores.block import LENGTH_WEIGHT, SATURATION, Near
from linarite.vector_stores.ranking import Asked, ChunkRanker
from linarite.vector_stores.search import fused, spread

MAKER = Principal(kind="Key", name="key1")


def test_scores_are_weighted_means() -> None:
    """Of what a chunk has by meaning and by words; what was not found has nothing there."""
    scored = fused([(1.0, {7: 1.0, 8: 0.5, 9: 0.0}), (3.0, {7: 1.0, 9: 0.4})])
    assert scored == [(7, 1.0), (9, pytest.approx(0.3)), (8, 0.125)]
    assert fused([(0.0, {1: 1.0}), (2.0, {2: 0.5, 1: 0.25})]) == [(2, 0.5), (1, 0.25)]
    assert fused([(0.0, {1: 1.0})]) == []


def test_cosines_are_spread() -> None:
    """The nearest has 1, the farthest is one step from 0; where all lie as near, all have 1."""
    near = [Near(1, 0.9), Near(2, 0.85), Near(3, 0.7)]
    assert spread(near) == pytest.approx({1: 1.0, 2: 0.25 / 0.3, 3: 0.1 / 0.3})
    assert spread([Near(1, 0.2)]) == {1: 1.0}
    assert spread([]) == {}


def packed(*numbers: float) -> bytes:
    """A vector."""
    return struct.pack(f"<{len(numbers)}f", *numbers)


@pytest.mark.anyio
@pytest.mark.parametrize("bytes_max", [0, 60, 10_000], ids=["nothing", "some", "all"])
async def test_the_nearest_whatever_is_in_memory(bytes_max: int) -> None:
    """What is added, and what is taken out, is seen by the next search."""
    index = MemoryVectorIndexes().of("a")
    ranker = ChunkRanker(bytes_max)

    async def come(file_id: str, *vectors: bytes) -> None:
        new = NewStoreFile(file_id=file_id, filename="x", maker=MAKER)
        await index.add([new], "", 1, 10)
        await index.settle(file_id, [Chunk(0, file_id, each) for each in vectors])

    async def found(among: set[int] | None = None) -> list[str]:
        near = (await ranker.ranked("a", index, [Asked(packed(1, 0))], 2, among))[0].near
        assert [each.similarity for each in near] == sorted(
            (each.similarity for each in near), reverse=True
        )
        return [each.text for each in await index.chunks([each.id for each in near])]

    assert await found() == []
    await come("far", packed(0, 1))
    await come("near", packed(1, 0))
    assert await found() == ["near", "far"]
    await come("between", packed(0.6, 0.8))
    assert await found() == ["near", "between"]
    await index.remove("near")
    assert await found() == ["between", "far"]
    segments = (await index.segments(0, 0, 9)).those
    far = segments[0].file
    assert await found({far}) == ["far"]
    with pytest.raises(ValueError, match="2 is not 3"):
        await ranker.ranked("a", index, [Asked(packed(1, 0, 0))], 2)


@pytest.mark.anyio
@pytest.mark.parametrize("bytes_max", [0, 200, 10_000], ids=["nothing", "some", "all"])
async def test_the_best_words_whatever_is_in_memory(bytes_max: int) -> None:
    """Rare words count more than common ones, and only of files that are wanted."""
    index = MemoryVectorIndexes().of("a")
    ranker = ChunkRanker(bytes_max)

    async def come(file_id: str, text: str) -> None:
        new = NewStoreFile(file_id=file_id, filename="x", maker=MAKER)
        await index.add([new], "", 1, 10)
        await index.settle(file_id, [Chunk(0, text, packed(1, 0))])

    async def found(words: str, among: set[int] | None = None) -> list[str]:
        asked = Asked(packed(0, 1), words)
        (ranked,) = await ranker.ranked("a", index, [asked], 10, among)
        return [each.file_id for each in await index.chunks([each.id for each in ranked.matching])]

    await come("long", "the parcel " + "the post " * 20)
    await come("twice", "the parcel parcel")
    await come("rare", "the whale")
    assert await found("PARCEL?") == ["twice", "long"]
    assert (await found("the whale"))[0] == "rare"
    assert await found('"( OR *') == []
    assert await found("nothing") == []
    rows = {each.first: each.file for each in (await index.segments(0, 0, 9)).those}
    assert await found("parcel", {rows[min(rows)]}) == ["long"]
    await index.remove("twice")
    await come("new", "parcel")
    assert await found("parcel") == ["new", "long"]


@pytest.mark.anyio
async def test_scores_are_those_of_bm25() -> None:
    """Worked out by hand in another way, over chunks that lie in several blocks."""
    dice = random.Random(3)
    texts = [" ".join(dice.choices("abcdefgh", k=dice.randint(1, 30))) for _ in range(300)]
    index = MemoryVectorIndexes().of("a")
    for at in range(0, 300, 50):
        new = NewStoreFile(file_id=f"f{at}", filename="x", maker=MAKER)
        await index.add([new], "", 1, 10)
        await index.settle(
            new.file_id, [Chunk(0, each, packed(1, 0)) for each in texts[at : at + 50]]
        )
    mean = sum(len(each.split()) for each in texts) / len(texts)

    def weight(term: str) -> float:
        among = sum(term in each.split() for each in texts)
        return math.log(1 + (len(texts) - among + 0.5) / (among + 0.5))

    def score(text: str) -> float:
        words, total = text.split(), 0.0
        for term in "ac":
            often = words.count(term)
            room = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * len(words) / mean)
            total += weight(term) * often * (SATURATION + 1) / (often + room)
        return total

    by_hand = sorted(range(300), key=lambda at: -score(texts[at]))[:20]
    for bytes_max in (0, 1_000_000):
        ranker = ChunkRanker(bytes_max)
        (ranked,) = await ranker.ranked("a", index, [Asked(packed(1, 0), "c a a")], 20)
        assert [score(texts[each.id - 1]) for each in ranked.matching] == pytest.approx(
            [score(texts[each]) for each in by_hand]
        )
        best = ranked.matching[0]
        weights = sum(weight(each) for each in "ac")
        assert best.share == pytest.approx(score(texts[best.id - 1]) / weights / (SATURATION + 1))


def test_nothing_large_is_imported_before_a_search() -> None:
    """A server whose stores nobody searches does without NumPy and SQLCipher."""
    asked = "import sys, linarite.vector_parts; print({'numpy', 'sqlcipher3'} & set(sys.modules))"
    ended = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    )
    assert ended.stdout == "set()\n"
