"""One server for all tests of a file that need nothing special."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.dataplane.rig import Rig, rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, MutableMapping
    from typing import Any

DEPLOYMENTS = ("gpt", "Mixed.Case_1-x", "über")


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged meanwhile. A test that does not take errors out of it must not cause any."""
    with capture_logs() as entries:
        yield entries
    assert [entry for entry in entries if entry["log_level"] == "error"] == []


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[Rig]:
    """One account, several deployments, the usual answers."""
    async with rig(deployments=DEPLOYMENTS) as running:
        yield running


@pytest.fixture(scope="module")
async def pair() -> AsyncIterator[Rig]:
    """The same with a second account: a call must name the one it means."""
    async with rig(accounts=2, deployments=DEPLOYMENTS) as running:
        yield running
