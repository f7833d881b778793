"""Ranks that are fused, and vectors that are compared."""

from __future__ import annotations

import struct

import pytest

from linarite.domain.principal import Principal
from linarite.domain.vector_store import Chunk, NewStoreFile
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.vector_stores.nearest import NearestChunks
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
    nearest = NearestChunks(bytes_max)

    async def come(file_id: str, *vectors: bytes) -> None:
        new = NewStoreFile(file_id=file_id, filename="x", maker=MAKER)
        await index.add([new], "", 1, 10)
        await index.settle(file_id, [Chunk(0, file_id, each) for each in vectors])

    async def found(among: set[int] | None = None) -> list[str]:
        near = await nearest.nearest("a", index, packed(1, 0), 2, among)
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
    rows = dict(
        zip(*[(await index.blocks(0, 9)).ids, (await index.blocks(0, 9)).files], strict=True)
    )
    far = next(iter(rows.values()))
    assert await found({far}) == ["far"]
    with pytest.raises(ValueError, match="2 is not 3"):
        await nearest.nearest("a", index, packed(1, 0, 0), 2, None)
