"""Load with streams: many at once, each at the pace its upstream keeps."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from bench.load.target import Target

STALL_S = 0.1
STALL_PACES = 3
_EVENT = b"data: "
_DONE = b"DONE]"
"""no longer than what is kept of one piece to be seen with the next"""
_GOOD = b"HTTP/1.1 200"


@dataclass
class Streamed:
    """What a number of streams saw."""

    streams: int
    chunks: int = 0
    errors: int = 0
    """streams that were refused, broken off, cut short or not over in time"""
    stalls: int = 0
    """gaps between two chunks of more than 100 ms, or of three paces where that is longer"""
    first_chunk_s: list[float] = field(default_factory=list)
    longest_gap_s: float = 0.0
    seconds: float = 0.0
    """from the first request to the last byte"""


class StreamConnection(asyncio.Protocol):
    """One connection, one stream. `ended` is done when the stream is, well or not."""

    def __init__(self, request: bytes, stall_s: float = STALL_S) -> None:
        self._request = request
        self._stall_s = stall_s
        self._transport: asyncio.Transport | None = None
        self._tail = b""
        self._last_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.head = b""
        self.sent_at = 0.0
        self.first_at = 0.0
        self.last_at = 0.0
        self.chunks = 0
        self.stalls = 0
        self.longest_gap_s = 0.0
        self.whole = False

    def send(self) -> None:
        """Ask for the stream."""
        assert self._transport is not None
        self.sent_at = time.perf_counter()
        self._transport.write(self._request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are of no such class

    def data_received(self, data: bytes) -> None:
        """Count chunks and look at the clock."""
        now = time.perf_counter()
        if not self.head:
            self.head = data[: len(_GOOD)]
        seen = self._tail + data
        events = seen.count(_EVENT)
        self._tail = seen[-len(_EVENT) + 1 :]
        if not events:
            return
        self.chunks += events
        if not self.first_at:
            self.first_at = now
        else:
            gap_s = now - self.last_at
            self.stalls += gap_s > self._stall_s
            self.longest_gap_s = max(gap_s, self.longest_gap_s)
        self.last_at = now
        if _DONE in seen:
            self.whole = True
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever it was
        """It is over, one way or another."""
        self._transport = None
        self._finish()

    def good(self, chunks: int) -> bool:
        """Whether everything came."""
        return self.whole and self.head == _GOOD and self.chunks >= chunks

    def _finish(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def run_streams(
    target: Target, *, streams: int, pace_ms: int, chunks: int, ramp_s: float = 1.0
) -> Streamed:
    """Begin `streams` streams, spread over `ramp_s`, and see them to their end.

    A server that takes several seconds longer than the upstream's pace is not waited for.
    """
    request = target.stream(pace_ms, chunks)
    stall_s = max(STALL_S, STALL_PACES * pace_ms / 1000)
    loop = asyncio.get_running_loop()
    connections: list[StreamConnection] = []
    refused = 0
    for _ in range(streams):
        try:
            _, connection = await loop.create_connection(
                lambda: StreamConnection(request, stall_s), "127.0.0.1", target.port
            )
        except OSError:
            refused += 1
            continue
        connections.append(connection)
    began = time.perf_counter()
    for at, connection in enumerate(connections):
        pause_s = began + ramp_s * at / streams - time.perf_counter()
        if pause_s > 0:
            await asyncio.sleep(pause_s)
        if not connection.ended.done():
            connection.send()
    patience_s = ramp_s + pace_ms * chunks / 1000 + 5
    await asyncio.wait([each.ended for each in connections], timeout=patience_s)
    seen = _summed(connections, streams, chunks)
    seen.errors += refused
    seen.seconds = max((each.last_at for each in connections), default=began) - began
    for connection in connections:
        connection.close()
    await asyncio.sleep(0)
    return seen


def _summed(connections: list[StreamConnection], streams: int, chunks: int) -> Streamed:
    seen = Streamed(streams)
    for each in connections:
        seen.chunks += each.chunks
        seen.stalls += each.stalls
        seen.longest_gap_s = max(seen.longest_gap_s, each.longest_gap_s)
        seen.errors += not each.good(chunks)
        if each.first_at:
            seen.first_chunk_s.append(each.first_at - each.sent_at)
    return seen
