"""What every Blobs does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.blob import Blobs

pytestmark = pytest.mark.anyio


async def pieces(*parts: bytes, problem: BaseException | None = None) -> AsyncIterator[bytes]:
    """These, and then what goes wrong."""
    for part in parts:
        yield part
    if problem is not None:
        raise problem


async def whole(blobs: Blobs, name: str) -> bytes:
    """What is kept."""
    return b"".join([piece async for piece in blobs.read(name)])


async def test_bytes_come_back(blobs: Blobs) -> None:
    """In their order, however they came; none at all too."""
    large = bytes(range(256)) * 20_000
    assert await blobs.write("a", pieces(large[:7], large[7:3_000_000], large[3_000_000:])) == len(
        large
    )
    assert await whole(blobs, "a") == large
    assert await blobs.write("empty", pieces()) == 0
    assert await whole(blobs, "empty") == b""
    assert sorted(await blobs.names()) == ["a", "empty"]


async def test_nothing_is_left_of_what_broke_off(blobs: Blobs) -> None:
    """The problem comes back as it was."""
    problem = ValueError("the client left")
    with pytest.raises(ValueError, match="the client left"):
        await blobs.write("a", pieces(b"x" * 6_000_000, problem=problem))
    assert await blobs.names() == []


async def test_what_is_removed_is_gone(blobs: Blobs) -> None:
    """Removing what is absent changes nothing."""
    await blobs.write("a", pieces(b"1"))
    await blobs.remove("a")
    await blobs.remove("a")
    assert await blobs.names() == []
    with pytest.raises(KeyError):
        await whole(blobs, "a")
