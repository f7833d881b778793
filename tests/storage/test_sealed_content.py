"""Bytes that are sealed in pieces: whole they come back, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.content_seals import ContentDamaged
from linarite.storage.sealed_content import PIECE_BYTES, TAG_BYTES, SealedContent, new_content_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

KEY = SealedContent(new_content_key(), "")
SEALED_BYTES = PIECE_BYTES + TAG_BYTES


async def cut(whole: bytes, size: int) -> AsyncIterator[bytes]:
    """As a disk or a network tells it."""
    for at in range(0, len(whole), size):
        yield whole[at : at + size]


async def sealed(whole: bytes, size: int = 10_000) -> bytes:
    """What is written."""
    return b"".join([piece async for piece in KEY.seal(cut(whole, size))])


async def opened(written: bytes, size: int = 1_000_000, key: SealedContent = KEY) -> bytes:
    """What is read."""
    return b"".join([piece async for piece in key.unseal(cut(written, size))])


async def is_believed(written: bytes) -> bool:
    """Whether it opens."""
    try:
        await opened(written)
    except ContentDamaged:
        return False
    return True


@pytest.mark.parametrize("length", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1])
@pytest.mark.parametrize("whole_pieces", [0, 2])
@pytest.mark.parametrize("size", [999, PIECE_BYTES, 1_000_000])
async def test_what_is_sealed_comes_back(length: int, whole_pieces: int, size: int) -> None:
    """However it is cut on its way, at any length; each piece costs sixteen bytes."""
    plain = bytes(range(256)) * ((length + whole_pieces * PIECE_BYTES) // 256 + 1)
    plain = plain[: length + whole_pieces * PIECE_BYTES]
    written = await sealed(plain, size)
    pieces = max(1, -(-len(plain) // PIECE_BYTES))
    assert len(written) == len(plain) + pieces * TAG_BYTES
    assert await opened(written, size) == plain


async def test_what_was_changed_does_not_open() -> None:
    """Cut off at any place, at a piece's end too; swapped, doubled, left out, longer, changed."""
    written = await sealed(bytes(PIECE_BYTES * 3 + 100))
    one, two, rest = (
        written[:SEALED_BYTES],
        written[SEALED_BYTES : 2 * SEALED_BYTES],
        written[2 * SEALED_BYTES :],
    )
    changed = bytearray(written)
    changed[len(written) // 2] ^= 1
    damaged = {
        "nothing": b"",
        "one piece": one,
        "two pieces": one + two,
        "a byte less": written[:-1],
        "a byte more": written + b"x",
        "swapped": two + one + rest,
        "doubled": one + one + two + rest,
        "left out": one + rest,
        "changed": bytes(changed),
        "another end": one + await sealed(b"end"),
    }
    believed = [how for how, there in damaged.items() if await is_believed(there)]
    assert believed == []


async def test_another_key_opens_nothing() -> None:
    """Each blob has its own."""
    with pytest.raises(ContentDamaged):
        await opened(await sealed(b"mine"), key=SealedContent(new_content_key(), ""))


async def test_nothing_is_told_before_it_is_proved() -> None:
    """What came before the damage was whole; of the damaged piece not a byte is told."""
    written = bytearray(await sealed(bytes(PIECE_BYTES * 2)))
    written[SEALED_BYTES + 5] ^= 1
    told = KEY.unseal(cut(bytes(written), 5_000))
    assert await anext(told) == bytes(PIECE_BYTES)
    with pytest.raises(ContentDamaged):
        await anext(told)


def test_it_hides_its_key() -> None:
    """Whoever prints it."""
    assert repr(KEY) == "SealedContent(…)"
