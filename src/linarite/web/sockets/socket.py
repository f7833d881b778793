"""One WebSocket: messages in and out, bounded in size, number and silence."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from linarite.domain.errors import ServiceUnavailable
from linarite.web.exchange import BUFFERED_BYTES_MAX, Successor

if TYPE_CHECKING:
    from linarite.web.exchange import Exchange

WAITING_MAX = 2
"""messages that wait to be taken; beyond it no more is read from the connection"""
FRAGMENTS_MAX = 16_384
"""of one message: empty ones have no size, but there would be no end of them"""
PING_S = 30.0
SILENT_S = 90.0
"""a peer that does not even answer pings for so long has gone"""
STALL_S = 60.0
"""as long as one may take to read anything of what is sent"""
CLOSE_S = 1.0
"""for the peer to close, too"""
NORMAL, GOING_AWAY, UNSUPPORTED, POLICY, TOO_BIG, TRY_LATER = 1000, 1001, 1003, 1008, 1009, 1013
"""close codes (RFC 6455, 7.4)"""


class Socket(Successor):
    """`open` it, then `receive` until there is nothing, `send` meanwhile, `close` in the end."""

    def __init__(self, exchange: Exchange, most_bytes: int) -> None:
        """`exchange` made the offer; a message has `most_bytes` at the most."""
        from websockets.frames import Frame, Opcode  # noqa: PLC0415 - 3 MB, with the first socket
        from websockets.protocol import OPEN, SERVER, Protocol  # noqa: PLC0415 - as above

        self._frame, self._opcodes = Frame, Opcode
        self._wire = Protocol(SERVER, state=OPEN, max_size=most_bytes)
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._waiting: deque[tuple[bytes, int]] = deque()
        """messages, each with what is held of it"""
        self._parts: list[bytes] = []
        self._partial_bytes = 0
        self._partial_held = 0
        """of what of the newest message has come, as much as is held"""
        self._taken_held = 0
        """the same of the message that was taken last"""
        self._reader: asyncio.Future[None] | None = None
        self._reading_stopped = False
        self._heard_at = self._loop.time()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self.write_paused = False
        self.gone = False
        """nothing comes or goes any more"""
        self.draining = False
        """the server wants it to end as soon as nothing is under way"""
        self.answering: Exchange | None = None
        """the turn that is under way: it hears of pauses and of the end"""

    def open(self, lines: bytes) -> None:
        """Accept the offer with these header lines; from now on messages come."""
        self._transport = self._exchange.switch(lines, self)
        self._later("look", PING_S, self._look)

    async def receive(self, within_s: float) -> bytes | None:
        """The next message, as UTF-8; None when nobody is there any more, or it drains.

        Raises TimeoutError when none comes in time.
        """
        deadline = self._loop.time() + within_s
        while not self._waiting:
            if self.gone or self.draining:
                return None
            self._reader = self._loop.create_future()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._reader
            finally:
                self._reader = None
        message, self._taken_held = self._waiting.popleft()
        self._read_or_wait()
        return message

    def send(self, message: bytes) -> None:
        """Send a text."""
        if not self.gone:
            self._wire.send_text(message)
            self._flush()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; the connection closes when the peer has, or soon."""
        if self.gone:
            return
        with suppress(Exception):  # it may have been closed already
            self._wire.send_close(code, reason[:120])
        self._flush()
        self._end()

    def give_back(self) -> None:
        """What was held of the message that was taken last is not needed any more."""
        exchange = self._exchange
        if self._taken_held and exchange.bodies is not None:
            exchange.bodies.give_back(self._taken_held)
            exchange.held_bytes -= self._taken_held
        self._taken_held = 0

    # The event loop's side.

    def data_received(self, data: bytes) -> None:
        """Take frames."""
        self._heard_at = self._loop.time()
        self._wire.receive_data(data)
        if self.gone:  # only its goodbye is waited for
            self._close_in_turn()
            return
        try:
            self._take(self._wire.events_received(), len(data))
        except ServiceUnavailable as refusal:
            self.close(TRY_LATER, refusal.message)
            return
        self._flush()
        if self._wire.close_expected():
            self._end()

    def eof_received(self) -> None:
        """The peer has left without a word."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._finish()
        self.carrier.connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer reads slower than we write."""
        self.write_paused = True
        if self.answering is not None:
            self.answering.write_paused = True
        self._read_or_wait()  # whatever it sends would be answered too
        self._watch_stall()

    def resume_writing(self) -> None:
        """It has caught up."""
        self.write_paused = False
        self._no_more("stall")
        self._read_or_wait()
        if self.answering is not None:
            self.answering.write_paused = False
            self.answering.wake()

    def shutdown(self) -> None:
        """See Successor."""
        self.draining = True
        self._wake()

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    # Inside.

    def _take(self, frames: list[Any], size: int) -> None:
        """Put frames together. Raises ServiceUnavailable where too much is held."""
        codes = self._opcodes
        for frame in frames:
            if frame.opcode is codes.BINARY:
                self._wire.fail(UNSUPPORTED, "messages are text")
                return
            if len(self._parts) >= FRAGMENTS_MAX:
                self._wire.fail(TOO_BIG, f"more than {FRAGMENTS_MAX} fragments")
                return
            if frame.opcode is codes.TEXT or (frame.opcode is codes.CONT and self._parts):
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    self._whole()
        self._partial_bytes += size
        if frames and not self._parts:
            self._partial_bytes = 0
        elif self._partial_bytes > BUFFERED_BYTES_MAX:
            self._exchange.hold(size)
            self._partial_held += size

    def _whole(self) -> None:
        self._waiting.append((b"".join(self._parts), self._partial_held))
        self._parts, self._partial_held = [], 0
        self._read_or_wait()
        self._wake()

    def _read_or_wait(self) -> None:
        """Read no more while enough waits, to be answered or to be sent."""
        stop = self.write_paused or len(self._waiting) >= WAITING_MAX
        if stop is self._reading_stopped or self._transport.is_closing():
            return
        self._reading_stopped = stop
        if stop:
            self._transport.pause_reading()
        else:
            self._heard_at = self._loop.time()
            self._transport.resume_reading()

    def _watch_stall(self) -> None:
        unsent = self._transport.get_write_buffer_size()
        self._later("stall", STALL_S, lambda: self._look_at_stall(unsent))

    def _look_at_stall(self, unsent: int) -> None:
        if self._transport.get_write_buffer_size() < unsent:
            self._watch_stall()
        else:
            self.abort()

    def _flush(self) -> None:
        for data in self._wire.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()  # nothing follows, and that is told

    def _look(self) -> None:
        """Ask whether anybody is there."""
        silent_s = self._loop.time() - self._heard_at
        if silent_s > SILENT_S and not self._reading_stopped:
            self.abort()
            return
        self._wire.send_ping(b"")
        self._flush()
        self._later("look", PING_S, self._look)

    def _end(self) -> None:
        self._finish()
        self._later("close", CLOSE_S, self._transport.close)
        self._close_in_turn()

    def _close_in_turn(self) -> None:
        """Close once the peer has said goodbye, too."""
        if self._wire.close_rcvd is not None:
            self._transport.close()

    def _finish(self) -> None:
        self.gone = True
        for name in list(self._timers):
            self._no_more(name)
        self._waiting.clear()
        self._parts = []
        self._wake()
        if self.answering is not None:
            self.answering.depart()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _later(self, name: str, after_s: float, act: Any) -> None:  # noqa: ANN401 - a callback
        self._no_more(name)
        self._timers[name] = self._loop.call_later(after_s, act)

    def _no_more(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
