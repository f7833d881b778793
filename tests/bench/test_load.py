"""The load generator tells the truth about what it saw."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bench.fake_upstream import FakeUpstream
from bench.load.plain import closed_loop, open_loop
from bench.load.streams import run_streams
from bench.load.target import Target
from bench.rows.fake import PATH
from bench.statistics_of import median_bounds, percentile, slope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.anyio

CUT = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n8\r\ndata: {}\r\n"
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


@asynccontextmanager
async def serving(factory: Callable[[], asyncio.Protocol]) -> AsyncIterator[Target]:
    """A server of this protocol on a free port."""
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    try:
        yield Target(server.sockets[0].getsockname()[1], PATH, "fake")
    finally:
        server.close()


class Says(asyncio.Protocol):
    """Answers whatever it hears with the same bytes, and may hang up then."""

    def __init__(self, answer: bytes, *, hang_up: bool) -> None:
        self._answer = answer
        self._hang_up = hang_up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer."""
        assert data
        self._transport.write(self._answer)
        if self._hang_up:
            self._transport.close()


async def test_closed_loop_counts_answers() -> None:
    """Answers of the upstream are counted, none of them as an error, and CPU time is told."""
    async with serving(FakeUpstream) as target:
        seen = await closed_loop(target, time.process_time, connections=2, seconds=0.2)
    assert seen.requests > 0
    assert seen.errors == 0
    assert seen.cpu_s > 0


async def test_closed_loop_counts_refusals_as_errors() -> None:
    """A status other than 200 is an error, not an answer."""
    async with serving(lambda: Says(REFUSAL, hang_up=False)) as target:
        seen = await closed_loop(target, time.process_time, connections=2, seconds=0.2)
    assert seen.requests == 0
    assert seen.errors > 0


async def test_open_loop_keeps_its_rate() -> None:
    """As many requests are sent as the rate and the time say, each with a latency."""
    async with serving(FakeUpstream) as target:
        seen = await open_loop(target, rate=100, seconds=0.5)
    assert seen.errors == 0
    assert 45 <= len(seen.latencies_s) <= 50


async def test_streams_are_counted_chunk_by_chunk() -> None:
    """Two streams of five words bring role, words, end, usage and the closing event each."""
    async with serving(FakeUpstream) as target:
        seen = await run_streams(target, streams=2, pace_ms=1, chunks=5, ramp_s=0.01)
    assert seen.errors == 0
    assert seen.chunks == 2 * (1 + 5 + 3)
    assert len(seen.first_chunk_s) == 2


async def test_streams_that_break_off_are_errors() -> None:
    """A stream that ends without its closing event is broken, whatever came before."""
    async with serving(lambda: Says(CUT, hang_up=True)) as target:
        seen = await run_streams(target, streams=3, pace_ms=1, chunks=5, ramp_s=0.01)
    assert seen.errors == 3


async def test_refused_streams_are_errors() -> None:
    """A refusal is no stream."""
    async with serving(lambda: Says(REFUSAL, hang_up=True)) as target:
        seen = await run_streams(target, streams=3, pace_ms=1, chunks=5, ramp_s=0.01)
    assert seen.errors == 3
    assert seen.first_chunk_s == []


def test_slope_of_a_line() -> None:
    """A straight line has its slope and no error."""
    assert slope([(0, 1), (1, 3), (2, 5)]) == (2, 0)


def test_percentile_is_a_value_that_was_seen() -> None:
    """The 99th of a hundred values is the 99th smallest."""
    assert percentile([float(value) for value in range(100, 0, -1)], 0.99) == 99


@pytest.mark.parametrize(
    ("count", "bounds"),
    [(6, (0, 5)), (9, (1, 7)), (24, (6, 17))],  # as in tables of the sign test
)
def test_a_median_lies_between_what_chance_leaves(count: int, bounds: tuple[int, int]) -> None:
    """Whatever the order they come in."""
    assert median_bounds(list(reversed(range(count)))) == bounds


def test_five_values_bound_no_median() -> None:
    """All five lie on one side of it once in sixteen times."""
    assert all(math.isnan(bound) for bound in median_bounds([1, 2, 3, 4, 5]))
