"""A bounded buffer in front of a collector: sends in order, and again while it is down."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.telemetry.otlp.delivery import Delivery

if TYPE_CHECKING:
    from linarite.telemetry.otlp.delivery import Endpoint, SignalPath

BYTES_MAX = 16 * 1024 * 1024
"""what waits in memory, at most"""
PAUSE_FIRST_S = 0.5
PAUSE_MAX_S = 30.0

log = structlog.get_logger("linarite.otlp")


class OtlpSender:
    """`offer` from the event loop; one task delivers. The newest is worth more than the oldest."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        bytes_max: int = BYTES_MAX,
        pause_first_s: float = PAUSE_FIRST_S,
    ) -> None:
        """Nothing is sent before `start`."""
        self.sent = 0
        """bodies that were taken"""
        self.dropped = 0
        """bodies that no collector will have: the buffer was full, or they were refused"""
        self._endpoint = endpoint
        self._bytes_max = bytes_max
        self._pause_first_s = pause_first_s
        self._waiting: deque[tuple[SignalPath, bytes]] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._task: asyncio.Task[None] | None = None
        self._down = False

    @property
    def backlog(self) -> int:
        """Bodies that wait, or are on their way."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_all(), name="otlp sender")

    async def stop(self, wait_s: float) -> None:
        """Send what waits, for at most `wait_s`; the rest is dropped, and counted."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._empty.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        while self._waiting:
            self._drop_oldest()
        await self._endpoint.close()

    def offer(self, path: SignalPath, body: bytes) -> None:
        """Put a body in line. The oldest ones make room for it, if need be."""
        while self._waiting and self._bytes + len(body) > self._bytes_max:
            self._drop_oldest()
        self._waiting.append((path, body))
        self._bytes += len(body)
        self._empty.clear()
        self._wake.set()

    def _drop_oldest(self) -> None:
        _, body = self._waiting.popleft()
        self._bytes -= len(body)
        self.dropped += 1

    async def _send_all(self) -> None:
        pause_s = self._pause_first_s
        while True:
            if not self._waiting:
                self._empty.set()
                self._wake.clear()
                await self._wake.wait()
            first = self._waiting[0]
            try:
                delivery = await self._endpoint.deliver(*first)
            except Exception:
                log.exception("not sent by our own fault")
                delivery = Delivery(taken=False)
            if delivery.again:
                self._tell_down(delivery.detail)
                await asyncio.sleep(delivery.wait_s or pause_s)
                pause_s = min(pause_s * 2, PAUSE_MAX_S)
                continue
            pause_s = self._pause_first_s
            if self._waiting and self._waiting[0] is first:  # else it made room meanwhile
                self._waiting.popleft()
                self._bytes -= len(first[1])
                if not delivery.taken:
                    self.dropped += 1
            self._tell_settled(delivery.detail, taken=delivery.taken)

    def _tell_down(self, detail: str) -> None:
        if not self._down:
            self._down = True
            log.warning("collector takes nothing", why=detail, backlog=self.backlog)

    def _tell_settled(self, detail: str, *, taken: bool) -> None:
        if taken:
            self.sent += 1
            if self._down:
                log.info("collector takes again", backlog=self.backlog, dropped=self.dropped)
            self._down = False
        if detail:
            log.warning("collector refused what it was sent", why=detail)
