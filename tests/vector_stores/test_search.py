"""Ranks that are fused, and vectors that are compared."""

from __future__ import annotations

import math
import random
import struct

import pytest

from linarite.domain.principal import Principal
from linarite.domain.vector_store import Chunk, NewStoreFile
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.vector_stores.block import LENGTH_WEIGHT, SATURATION
from linarite.vector_stores.ranking import Asked, ChunkRanker
from linarite.vector_stores.search import fused

MAKER = Principal(kind="Key", name="key1")


def test_first_in_every_list_is_one() -> None:
    """And every score lies between 0 and 1, the best first."""
    scored = fused([(1.0, [7, 8, 9]), (1.0, [7, 9])])
    assert scored[0] == (7, 1.0)
    assert [each for each, _ in scored] == [7, 9, 8]
    assert all(0 < score <= 1 for _, score in scored)


def test_weights_decide() -> None:
    """A list without weight adds nothing, and without any weight nothing is found."""
    assert fused([(0.0, [1]), (2.0, [2, 1])])[0] == (2, 1.0)
    assert fused([(0.0, [1])]) == []


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
        return [each.file_id for each in await index.chunks(ranked.matching)]

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

    def score(text: str) -> float:
        words, total = text.split(), 0.0
        for term in "ac":
            among = sum(term in each.split() for each in texts)
            often = words.count(term)
            room = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * len(words) / mean)
            weight = math.log(1 + (len(texts) - among + 0.5) / (among + 0.5))
            total += weight * often * (SATURATION + 1) / (often + room)
        return total

    by_hand = sorted(range(300), key=lambda at: -score(texts[at]))[:20]
    for bytes_max in (0, 1_000_000):
        ranker = ChunkRanker(bytes_max)
        (ranked,) = await ranker.ranked("a", index, [Asked(packed(1, 0), "c a a")], 20)
        assert [score(texts[each - 1]) for each in ranked.matching] == pytest.approx(
            [score(texts[each]) for each in by_hand]
        )
