"""An engine on a real small model, shared by the files of this folder."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines.openvino.real_engine import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from linarite.engines.openvino.engine import OpenvinoEngine


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A private folder with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ov") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[OpenvinoEngine]:
    """A running engine, for tests that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="ov") as folder:
        async with running(Path(folder)) as started:
            yield started
