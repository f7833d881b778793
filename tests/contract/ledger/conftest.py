"""Every adapter of the ledger, so that the suite runs for all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from linarite.controls.quota import MemoryLedger
from tests.serving import free_port
from tests.store import needs_store, running_store, shared_ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from linarite.domain.ledger import Charge, Ledger, Reservation
    from tests.store import Store

JOINED_S = 60.0


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store for all tests that leave it running."""
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A cluster of one node, which refuses commands whose keys lie in several slots."""
    folder = tmp_path_factory.mktemp("cluster")
    bus = str(free_port())  # else it is 10,000 above the other one, where there may be none
    with running_store(folder, "--cluster-enabled", "yes", "--cluster-port", bus) as running:
        assert running.ask("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == b"OK"
        until = time.monotonic() + JOINED_S
        while b"cluster_state:ok" not in bytes(running.ask("CLUSTER", "INFO")):  # pyright: ignore[reportArgumentType] - its answer is text here
            assert time.monotonic() < until
            time.sleep(0.02)
        crossing = running.ask("MSET", "a", 1, "b", 2)
        assert "CROSSSLOT" in str(crossing)
        yield running


@dataclass
class Charging:
    """A ledger, asked as the limiter asks it."""

    ledger: Ledger

    async def charge(self, *charges: Charge) -> Reservation:
        """All or none."""
        return self.ledger.reserve_now(charges) or await self.ledger.reserve(charges)

    async def settled(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """Return once the ledger has it."""
        self.ledger.settle(reservation, amounts)
        # Replies come in order: what is asked after it is answered after it.
        await self.ledger.left([])


@pytest.fixture(
    params=[
        "memory",
        pytest.param("store", marks=needs_store),
        pytest.param("cluster", marks=needs_store),
    ]
)
async def charging(request: pytest.FixtureRequest) -> AsyncIterator[Charging]:
    """An empty ledger."""
    if request.param == "memory":
        yield Charging(MemoryLedger())
        return
    store: Store = request.getfixturevalue(request.param)
    store.ask("FLUSHALL")
    ledger = await shared_ledger(store.url)
    yield Charging(ledger)
    await ledger.close()
