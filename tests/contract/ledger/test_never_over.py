"""No limit is ever exceeded: by servers that are killed, nor by what comes in any order."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linarite.controls.quota import MemoryLedger
from linarite.domain.ledger import Bucket, Charge, DoesNotFit, Window
from linarite.storage.valkey.ledger import BELIEVED_S
from tests.contract.ledger.load import (
    BUCKETS,
    DAY,
    PLACES,
    REQUESTS,
    TOKENS,
    admitted_in,
    most_at_once,
    most_in_a_window,
)
from tests.store import needs_store, shared_ledger

if TYPE_CHECKING:
    from linarite.domain.ledger import Ledger, Reservation
    from tests.contract.ledger.load import Admitted
    from tests.store import Store

ROOT = Path(__file__).parents[3]
CHARGE = Path(__file__).parent / "children" / "charge.py"
SERVERS = 3
WINDOW_S = 1.0
"""after it nothing is counted any more"""


def start(url: str, seed: int, said: Path) -> subprocess.Popen[bytes]:
    """One server of the load."""
    with said.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, str(CHARGE), url, str(seed)],
            stdout=output,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )


def settled_in(said: Path) -> int:
    """How much a server has done."""
    return said.read_bytes().count(b"settled")


async def until_busy(said: Path) -> None:
    """Return once a server has done something."""
    async with asyncio.timeout(30):
        while settled_in(said) < 20:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


@needs_store
@pytest.mark.slow
@pytest.mark.anyio
async def test_servers_that_are_killed_exceed_nothing_and_leave_nothing_held(
    store: Store, tmp_path: Path
) -> None:
    """In no second more than its limit, at no time more places; the store's clock is set, too."""
    store.ask("FLUSHALL")
    files = [tmp_path / str(seed) for seed in range(SERVERS)]
    servers = [start(store.url, seed, said) for seed, said in enumerate(files)]
    for said in files:
        await until_busy(said)
    loads: list[list[Admitted]] = []
    for server, said in zip(servers, files, strict=True):
        await asyncio.sleep(random.uniform(0.3, 0.8))
        store.ask("HINCRBY", "{linarite}:clock", "offset", random.choice((-90_000, 90_000)))
        await asyncio.sleep(random.uniform(0.3, 0.8))
        server.kill()
        server.wait()
        lines = said.read_text().splitlines(keepends=True)
        loads.append(admitted_in(lines, time.monotonic()))
    ended = time.monotonic()
    together = [one for load in loads for one in load]
    tokens, requests = most_in_a_window(together, WINDOW_S)
    assert tokens <= TOKENS.limit
    assert requests <= REQUESTS.limit
    assert max(tokens / TOKENS.limit, requests / REQUESTS.limit) > 0.7, "nothing was limited"
    assert most_at_once(together) <= PLACES.limit
    ledger = await shared_ledger(store.url)
    charged = DAY.limit - (await ledger.left([DAY]))[0]
    assert sum(one.used for one in together) <= charged
    places = (await ledger.left([PLACES]))[0]
    while places < PLACES.limit:
        assert time.monotonic() - ended < BELIEVED_S + 1
        await asyncio.sleep(0.1)
        places = (await ledger.left([PLACES]))[0]
    await asyncio.sleep(max(0.0, ended + WINDOW_S - time.monotonic()))
    assert (await ledger.reserve([Charge(each, 1) for each in BUCKETS])).left[2] == 5
    await ledger.close()


SMALL = (
    Bucket("a", "a", "tokens", 100, Window.MINUTE),
    Bucket("b", "b", "tokens", 150, Window.DAY),
    Bucket("c", "c", "concurrent", 3, Window.HELD),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, 1), st.integers(0, 60)),
        st.tuples(st.just("give up"), st.integers(0, 1), st.integers(0, 60)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 80)),
        st.tuples(st.just("correct"), st.integers(0, 9), st.integers(0, 80)),
        st.tuples(st.just("lose the connection"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("set the clock"), st.just(0), st.integers(-50_000, 50_000)),
    ),
    max_size=20,
)


class Model:
    """What the limits say, written out; two servers that obey it."""

    def __init__(self, servers: list[Ledger], store: Store | None) -> None:
        self.servers = servers
        self.store = store
        self.used = [0, 0, 0]
        self.held: list[tuple[Ledger, Reservation, int]] = []

    async def do(self, what: str, which: int, amount: int) -> None:
        """One step."""
        server = self.servers[which % len(self.servers)]
        charges = [Charge(SMALL[0], amount), Charge(SMALL[1], amount), Charge(SMALL[2], 1)]
        if what == "reserve":
            await self._reserve(server, charges, amount)
        elif what == "give up":
            waiting = asyncio.ensure_future(server.reserve(charges))
            await asyncio.sleep(0)
            if waiting.done() and waiting.exception() is None:
                server.settle(waiting.result(), [0, 0, 0])
            waiting.cancel()
            await asyncio.wait([waiting])
        elif what in ("settle", "correct") and self.held:
            server = await self._used(which % len(self.held), amount, goes_on=what == "correct")
        elif what == "set the clock" and self.store is not None:
            self.store.ask("HINCRBY", "{linarite}:clock", "offset", amount)
        elif what == "lose the connection" and self.store is not None:
            self.store.ask("CLIENT", "KILL", "TYPE", "normal")
            for each in self.servers:
                await until_there(each)
        expected = [bucket.limit - used for bucket, used in zip(SMALL, self.used, strict=True)]
        left = await server.left(SMALL)
        for _ in range(100):  # what is settled while a clock is set arrives a little later
            if left == expected:
                break
            await asyncio.sleep(0.01)
            left = await server.left(SMALL)
        assert left == expected

    async def _used(self, at: int, amount: int, *, goes_on: bool) -> Ledger:
        """One of those that run has used so much; it ends with it, or goes on."""
        server, held, before = self.held.pop(at)
        if goes_on:
            await server.correct(held, [amount, amount, 1])
            self.held.append((server, held, amount))
        else:
            server.settle(held, [amount, amount, 0])
        more, places = amount - before, self.used[2] - (not goes_on)
        self.used = [self.used[0] + more, self.used[1] + more, places]
        return server

    async def _reserve(self, server: Ledger, charges: list[Charge], amount: int) -> None:
        fits = all(
            used + charge.amount <= charge.bucket.limit
            for used, charge in zip(self.used, charges, strict=True)
        )
        try:
            held = server.reserve_now(charges) or await server.reserve(charges)
        except DoesNotFit:
            assert not fits
            return
        assert fits
        self.held.append((server, held, amount))
        self.used = [used + each.amount for used, each in zip(self.used, charges, strict=True)]


async def until_there(ledger: Ledger) -> None:
    """Return once it is connected (again)."""
    from linarite.domain.quota_errors import LedgerUnavailable  # noqa: PLC0415 - needed in the child process alone

    while True:
        try:
            await ledger.left([])
        except LedgerUnavailable:
            await asyncio.sleep(0.01)
        else:
            return


@given(steps)
@settings(max_examples=200)
def test_one_server_obeys_the_model(asked: list[tuple[str, int, int]]) -> None:
    """Whatever comes in whatever order."""

    async def play() -> None:
        model = Model([MemoryLedger(lambda: 1000.0)], None)
        for step in asked:
            await model.do(*step)

    asyncio.run(play())


@needs_store
@given(steps)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_two_servers_obey_the_model(store: Store, asked: list[tuple[str, int, int]]) -> None:
    """With connections that are lost and a clock that is set."""

    async def play() -> None:
        store.ask("FLUSHALL")
        servers = [await shared_ledger(store.url) for _ in range(2)]
        model = Model(servers, store)
        try:
            for step in asked:
                await model.do(*step)
        finally:
            for server in servers:
                await server.close()

    asyncio.run(play())
