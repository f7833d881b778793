"""Engines are started once for each file of tests: models take their time to load."""

from __future__ import annotations

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.engines.cases import CASES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.engine import Engine
    from tests.contract.engines.cases import EngineCase, Opened
    from tests.contract.engines.folding import Started


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> EngineCase:
    """The engine under test."""
    return CASES[request.param]()


@pytest.fixture(scope="module")
async def talker(case: EngineCase) -> AsyncIterator[Started]:
    """A running engine that chats and completes."""
    if case.talker is None:
        pytest.skip("this engine has no model that chats")
    with tempfile.TemporaryDirectory(prefix="eng") as scratch:
        async with _started(case.talker(Path(scratch))) as started:
            yield started


@pytest.fixture(scope="module")
async def embedder(case: EngineCase) -> AsyncIterator[Started]:
    """A running engine that makes vectors."""
    if case.embedder is None:
        pytest.skip("this engine has no model that makes vectors")
    with tempfile.TemporaryDirectory(prefix="eng") as scratch:
        async with _started(case.embedder(Path(scratch))) as started:
            yield started


@asynccontextmanager
async def _started(opened: Opened) -> AsyncIterator[Started]:
    async with opened as engine:
        capabilities = await engine.start(_ignore)
        try:
            yield engine, capabilities
        finally:
            await engine.stop(1.0)


def _ignore(_share: float, _what: str) -> None:
    """Nobody watches the start."""


@pytest.fixture
def engine(talker: Started) -> Engine:
    """The engine that chats, for tests that do not look at its capabilities."""
    return talker[0]
