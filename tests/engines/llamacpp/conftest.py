"""An engine on a real small model, shared by the files of this folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines.llamacpp.real_engine import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from linarite.engines.llamacpp.engine import LlamacppEngine


@pytest.fixture
def short_folder() -> Iterator[str]:
    """A private folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="llc") as folder:
        yield folder


@pytest.fixture
def scratch(short_folder: str) -> Path:
    """The same, as a path."""
    return Path(short_folder)


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[LlamacppEngine]:
    """A running engine, for tests that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="llc") as folder:
        async with running(Path(folder)) as started:
            yield started
