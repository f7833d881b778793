from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import pytest

from linarite.vector_stores.extraction import ProcessExtractor
from linarite.vector_stores.options import VectorStores
from linarite.vector_stores.private_folder import private_folder
from tests.vector_stores.documents import pdf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been unpacked yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_it_is_made_once_for_this_user_alone() -> None:
    """The same each time, and closed to others."""
    folder = private_folder()
    assert folder == private_folder()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o777, 0o750])
def test_what_others_may_write_or_read_is_not_trusted(tmp_path: Path, mode: int) -> None:
    """Nor a link to elsewhere."""
    taken = tmp_path / f"linarite-readers-{os.geteuid()}"
    taken.mkdir()
    taken.chmod(mode)
    assert private_folder() != taken
    taken.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    taken.symlink_to(elsewhere)
    assert private_folder() not in {taken, elsewhere}


@pytest.mark.anyio
async def test_the_first_pdf_of_a_machine_is_read(tmp_path: Path) -> None:
    """The library unpacks native code then; who reads a file may write none."""
    extractor = ProcessExtractor(VectorStores())

    async def content() -> AsyncIterator[bytes]:
        yield pdf("parcels")

    try:
        told = await extractor.extract("unnamed", content)
    finally:
        await extractor.close()
    assert "parcels" in told
    assert unpacked(tmp_path) == ["kreuzberg-pdfium"]


def unpacked(machine: Path) -> list[str]:
    """What readers of this user have on disk."""
    return [each.name for each in (machine / f"linarite-readers-{os.geteuid()}").iterdir()]
