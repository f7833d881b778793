"""The one connection into the engine's process, shared by all requests."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING, cast

import msgspec

from linarite.domain.errors import EngineFailed, ServiceUnavailable
from linarite.engines.openvino.mailbox import Mailbox
from linarite.engines.openvino.messages import (
    Accepted,
    Cancel,
    News,
    Probe,
    Refused,
    Reply,
    Status,
    Step,
    frame,
    take_frames,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from pathlib import Path

    from linarite.engines.openvino.messages import Request, Submit

_DECODE = msgspec.msgpack.Decoder(Reply).decode

Word = Accepted | Refused | Step | Status


class Channel(asyncio.Protocol):
    """Sends requests and hands each reply to who waits for it."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._numbers = count(1)
        self._waiting: dict[int, Mailbox[Word | None]] = {}

    async def open(self, socket_path: Path) -> None:
        """Connect. Raises ServiceUnavailable when nobody listens."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_unix_connection(lambda: self, str(socket_path))
        except OSError as error:
            raise _gone() from error

    def close(self) -> None:
        """Close; what waits is told that the engine is gone."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it. Other loops' transports are of their own classes."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell everybody who waits."""
        self._transport = None
        for waiting in self._waiting.values():
            waiting.put(None)

    def data_received(self, data: bytes) -> None:
        """Hand on what is whole."""
        self._received += data
        for message in take_frames(self._received):
            reply = _DECODE(message)
            if isinstance(reply, News):
                for step in reply.steps:
                    self._hand(step)
            else:
                self._hand(reply)

    def _hand(self, word: Word) -> None:
        waiting = self._waiting.get(word.id)
        if waiting is not None:
            waiting.put(word)

    async def running(self, deadline_s: float) -> int:
        """Replies that the process has under way. Raises ServiceUnavailable, RequestTimedOut."""
        number = next(self._numbers)
        with Mailbox[Word | None]() as inbox, self._waited_for(number, inbox):
            self._send(Probe(number))
            word = await inbox.take(deadline_s)
        if not isinstance(word, Status):
            raise _gone()
        return word.running

    async def words(
        self, make: Callable[[int], Submit], *, first_s: float, idle_s: float
    ) -> AsyncGenerator[Accepted | Refused | Step, None]:
        """Submit a request and yield what is said to it, to its end.

        Closing the generator ends the reply in the process, at its next step. Raises
        ServiceUnavailable before the first word, EngineFailed later, RequestTimedOut.
        """
        number = next(self._numbers)
        over = began = False
        with Mailbox[Word | None]() as inbox, self._waited_for(number, inbox):
            try:
                self._send(make(number))
                while not over:
                    word = await inbox.take(idle_s if began else first_s)
                    if word is None or isinstance(word, Status):
                        over = True
                        raise _broken() if began else _gone()
                    began = began or isinstance(word, Step)
                    over = isinstance(word, Refused) or (
                        isinstance(word, Step) and word.finish is not None
                    )
                    yield word
            finally:
                if not over and self._transport is not None:
                    self._send(Cancel(number))

    @contextmanager
    def _waited_for(self, number: int, inbox: Mailbox[Word | None]) -> Generator[None]:
        self._waiting[number] = inbox
        try:
            yield
        finally:
            del self._waiting[number]

    def _send(self, request: Request) -> None:
        if self._transport is None:
            raise _gone()
        self._transport.write(frame(request))


def _gone() -> ServiceUnavailable:
    return ServiceUnavailable("the engine of this deployment is restarting")


def _broken() -> EngineFailed:
    return EngineFailed("The engine broke off while answering. Please try again.")
