from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.vector_stores.extraction import ProcessExtractor
from linarite.vector_stores.options import VectorStores
from tests.vector_stores.documents import pdf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.mark.anyio
async def test_the_first_pdf_of_a_machine_is_read(tmp_path: Path) -> None:
    """The library unpacks native code then; who reads a file may write none."""
    folder = tmp_path / "readers"
    extractor = ProcessExtractor(VectorStores(), folder)

    async def content() -> AsyncIterator[bytes]:
        yield pdf("parcels")

    try:
        told = await extractor.extract("unnamed", content)
    finally:
        await extractor.close()
    assert "parcels" in told
    assert modes_from(folder) == {"readers": 0o700, "kreuzberg-pdfium": 0o755}


def modes_from(folder: Path) -> dict[str, int]:
    """Who may do what with the folder and with those in it."""
    folders = [folder, *(each for each in folder.iterdir() if each.is_dir())]
    return {each.name: each.stat().st_mode & 0o777 for each in folders}
