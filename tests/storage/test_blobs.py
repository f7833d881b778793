"""Bytes in a folder of a disk that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.errors import ServiceUnavailable
from linarite.storage.blobs import FolderBlobs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


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
