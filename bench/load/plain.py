"""Load with plain answers: as fast as it goes, or at a fixed rate."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import httptools

from bench.peers import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.load.target import Target

WARM_UP_S = 0.4
PATIENCE_S = 5.0
PATIENCE_TRIES = 100
GOOD = 200
DRAIN_S = 5.0
DRAIN_TRIES = 500


@dataclass
class Closed:
    """What a closed loop saw in its window."""

    requests: int
    errors: int
    seconds: float
    cpu_s: float


@dataclass
class Opened:
    """What an open loop saw: a latency for each request that was answered."""

    rate: float
    latencies_s: list[float] = field(default_factory=list)
    errors: int = 0


class Due(NamedTuple):
    """A request of the open loop: when it became due, and whether it belongs to the window."""

    at: float
    counts: bool


class PlainConnection(asyncio.Protocol):
    """One connection with at most one request under way; `done(self, status)` at its answer.

    Status 0: the connection was lost before the answer.
    """

    def __init__(self, done: Callable[[PlainConnection, int], None]) -> None:
        self._done = done
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self.waiting = False
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        """Send a request; the last one must have been answered."""
        self.waiting = True
        self.sent_at = time.perf_counter()
        assert self._transport is not None
        self._transport.write(request)

    @property
    def usable(self) -> bool:
        """Connected, with nothing under way."""
        return self._transport is not None and not self.waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no such class

    def data_received(self, data: bytes) -> None:
        """Parse."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self.waiting = False
        self._done(self, self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever it was
        """An answer under way will not come."""
        self._transport = None
        if self.waiting:
            self.waiting = False
            self._done(self, 0)


async def connect(target: Target, done: Callable[[PlainConnection, int], None]) -> PlainConnection:
    """Open a connection."""
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: PlainConnection(done), "127.0.0.1", target.port
    )
    return connection


async def until_good(target: Target, wait_s: float) -> None:
    """Ask, again and again, until an answer is good. Raises Unavailable."""
    give_up_at = time.perf_counter() + wait_s
    while not await _answers(target):
        if time.perf_counter() > give_up_at:
            raise Unavailable(f"no good answer came within {wait_s:g} s")


async def _answers(target: Target) -> bool:
    """Whether one request is answered well."""
    answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def done(_: PlainConnection, status: int) -> None:
        if not answered.done():
            answered.set_result(status)

    connection = await connect(target, done)
    try:
        connection.send(target.plain(max_tokens=1))
        return await answered == GOOD
    finally:
        connection.close()


async def warm_up(target: Target, requests: int) -> None:
    """Ask so often, or for as long as patience lasts: the first answers are no server's best."""
    loop = ClosedLoop(target)
    await loop.open(16)
    try:
        for _ in range(PATIENCE_TRIES):
            await asyncio.sleep(PATIENCE_S / PATIENCE_TRIES)
            if loop.requests + loop.errors >= requests:
                return
    finally:
        await loop.close()


async def closed_loop(
    target: Target, cpu_s: Callable[[], float], *, connections: int, seconds: float
) -> Closed:
    """Send the next request as soon as the last is answered, on each connection."""
    loop = ClosedLoop(target)
    await loop.open(connections)
    try:
        await asyncio.sleep(WARM_UP_S)
        requests, errors = loop.requests, loop.errors
        cpu_before_s, began = cpu_s(), time.perf_counter()
        await asyncio.sleep(seconds)
        return Closed(
            requests=loop.requests - requests,
            errors=loop.errors - errors,
            seconds=time.perf_counter() - began,
            cpu_s=cpu_s() - cpu_before_s,
        )
    finally:
        await loop.close()


class ClosedLoop:
    """Connections that ask again and again, until closed."""

    def __init__(self, target: Target) -> None:
        self.requests = 0
        """answered well"""
        self.errors = 0
        self._target = target
        self._request = target.plain()
        self._connections: set[PlainConnection] = set()
        self._mending: set[asyncio.Task[None]] = set()
        self._open = True

    async def open(self, connections: int) -> None:
        """Connect and begin."""
        for _ in range(connections):
            await self._begin()

    async def close(self) -> None:
        """Stop asking and hang up."""
        self._open = False
        await asyncio.gather(*self._mending, return_exceptions=True)
        for connection in self._connections:
            connection.close()
        await asyncio.sleep(0)

    async def _begin(self) -> None:
        connection = await connect(self._target, self._answered)
        self._connections.add(connection)
        connection.send(self._request)

    def _answered(self, connection: PlainConnection, status: int) -> None:
        if not self._open:
            return
        if status == GOOD:
            self.requests += 1
        else:
            self.errors += 1
        if status:
            connection.send(self._request)
        else:
            self._connections.discard(connection)
            task = asyncio.create_task(self._begin())
            self._mending.add(task)
            task.add_done_callback(partial(ended, self._mending))


def ended(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    """A connection is there, or was refused: what was asked on the one before counts as an error.

    Its exception is looked at, so that nobody is told of it at the end.
    """
    tasks.discard(task)
    if not task.cancelled():
        task.exception()


async def open_loop(target: Target, *, rate: float, seconds: float) -> Opened:
    """Send at a fixed rate, whatever the answers do.

    A latency begins when the request is due and the generator awake: a server that lags makes
    requests wait for a connection, and that counts.
    """
    loop = OpenLoop(target, rate)
    await loop.open(64)
    try:
        return await loop.run(seconds)
    finally:
        loop.close()


class OpenLoop:
    """Sends by the clock over as many connections as that takes, up to a bound."""

    CONNECTIONS_MAX = 512

    def __init__(self, target: Target, rate: float) -> None:
        self.seen = Opened(rate)
        self._target = target
        self._request = target.plain()
        self._free: list[PlainConnection] = []
        self._all: list[PlainConnection] = []
        self._due: deque[Due] = deque()
        """requests that have no connection yet"""
        self._sent: dict[PlainConnection, Due] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._counting = False

    async def open(self, connections: int) -> None:
        """Connect."""
        for _ in range(connections):
            await self._connect()

    async def run(self, seconds: float) -> Opened:
        """Send for so long, after a warm-up; then wait a little for the last answers."""
        begin = time.perf_counter()
        count_from, until = begin + WARM_UP_S, begin + WARM_UP_S + seconds
        period = 1 / self.seen.rate
        due = begin
        while due < until:
            pause = due - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
            self._counting = due >= count_from
            self._take(time.perf_counter())
            due += period
        for _ in range(DRAIN_TRIES):
            if self._due or self._sent:
                await asyncio.sleep(DRAIN_S / DRAIN_TRIES)
        self.seen.errors += len(self._due) + len(self._sent)
        return self.seen

    def close(self) -> None:
        """Hang up."""
        self._due.clear()
        self._sent.clear()
        for connection in self._all:
            connection.close()

    async def _connect(self) -> None:
        connection = await connect(self._target, self._answered)
        self._all.append(connection)
        self._free.append(connection)
        self._send_due()

    def _take(self, now: float) -> None:
        self._due.append(Due(now, self._counting))
        self._send_due()
        if self._due and len(self._all) + len(self._connecting) < self.CONNECTIONS_MAX:
            task = asyncio.create_task(self._connect())
            self._connecting.add(task)
            task.add_done_callback(partial(ended, self._connecting))

    def _send_due(self) -> None:
        while self._due and self._free:
            connection = self._free.pop()
            if connection.usable:
                self._sent[connection] = self._due.popleft()
                connection.send(self._request)

    def _answered(self, connection: PlainConnection, status: int) -> None:
        due = self._sent.pop(connection, None)
        if due is None:
            return
        if status != GOOD:
            self.seen.errors += 1
        elif due.counts:
            self.seen.latencies_s.append(time.perf_counter() - due.at)
        if connection.usable:
            self._free.append(connection)
            self._send_due()
