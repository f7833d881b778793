"""Bytes in a folder of a disk that fails."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import ServiceUnavailable
from linarite.storage.blobs import FolderBlobs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio
DYING = """
import asyncio, os, sys
from pathlib import Path
from linarite.storage.blobs import PIECE_BYTES, FolderBlobs

async def pieces():
    yield bytes(3 * PIECE_BYTES)
    os._exit(9)

asyncio.run(FolderBlobs(Path(sys.argv[1])).write("half", pieces()))
"""


async def test_what_a_dead_server_had_half_written_is_named_and_removed(tmp_path: Path) -> None:
    """It is no file, and it takes room."""
    died = await asyncio.create_subprocess_exec(sys.executable, "-c", DYING, tmp_path)
    assert await died.wait() == 9
    assert os.listdir(tmp_path)  # noqa: PTH208 - what lies there, not what it means
    blobs = FolderBlobs(tmp_path)
    with pytest.raises(KeyError):
        await anext(aiter(blobs.read("half")))
    assert await blobs.names() == ["half"]
    await blobs.remove("half")
    assert await blobs.names() == []
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - as above


async def test_a_disk_that_fails_is_a_service_that_is_not_there(tmp_path: Path) -> None:
    """Whatever was asked of it: nobody else knows the library's errors, or the system's."""
    (tmp_path / "there" / "held").mkdir(parents=True)
    with pytest.raises(ServiceUnavailable, match="could not be removed"):
        await FolderBlobs(tmp_path / "there").remove("held")
    (tmp_path / "taken").touch()
    blobs = FolderBlobs(tmp_path / "taken")
    with pytest.raises(ServiceUnavailable, match="could not be removed"):
        await blobs.remove("a")
    with pytest.raises(ServiceUnavailable, match="could not be listed"):
        await blobs.names()
    with pytest.raises(ServiceUnavailable, match="could not be read"):
        await anext(aiter(blobs.read("a")))
