"""An answer as it comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from linarite.engines.http_client.errors import BodyTooLong, HttpClientError
from linarite.engines.http_client.event_stream import EventParser, ServerEvent

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Sequence

BUFFERED_BYTES_MAX = 64 * 1024
"""beyond this much unread body the connection stops reading, so that the peer slows down"""
EVENT_BYTES_MAX = 8 * 1024 * 1024
"""the longest server-sent event that is read unless the caller says otherwise"""
_CONTENT_TYPE_LENGTH = len("content-type")
_END_OF_EVENTS = b"[DONE]"


class BodySource(Protocol):
    """The connection, as far as its answer needs it."""

    def resume(self) -> None:
        """Read on; there is room again."""
        ...

    def abandon(self) -> None:
        """Close at once: nobody wants the rest."""
        ...

    def discard_rest(self) -> None:
        """Read the little that is left without keeping it, so that the connection lives on."""
        ...


class Response:
    """Status and headers of an answer, and its body as it comes.

    Use up the body by exactly one of `read`, `chunks` and `events`, or `close`.
    They raise ConnectionLost, DeadlinePassed, MalformedReply and BodyTooLong. Cancelling them, or
    closing their generator early, closes the connection, so that the peer stops working.
    """

    __slots__ = (
        "_buffered_bytes",
        "_chunks",
        "_complete",
        "_failure",
        "_headers",
        "_raw_headers",
        "_source",
        "_waiter",
        "ended",
        "head",
        "status",
    )

    def __init__(self, source: BodySource, head: asyncio.Future[None]) -> None:
        self.status = 0
        self.head = head
        """done when status and headers are there, or with what prevented it"""
        self.ended = False
        """`[DONE]` has been read: the stream of events is whole"""
        self._source: BodySource | None = source
        self._headers: dict[str, str] | None = None
        self._raw_headers: Sequence[tuple[bytes, bytes]] = ()
        self._chunks: list[bytes] = []
        self._buffered_bytes = 0
        self._complete = False
        self._failure: HttpClientError | None = None
        self._waiter: asyncio.Future[None] | None = head

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name; values of repeated ones are joined by a comma."""
        if self._headers is None:
            headers: dict[str, str] = {}
            for raw_name, raw_value in self._raw_headers:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            self._headers = headers
        return self._headers

    @property
    def content_type(self) -> str:
        """The media type, lower-case and without parameters; "" when there is none."""
        for name, value in self._raw_headers:
            if len(name) == _CONTENT_TYPE_LENGTH and name.lower() == b"content-type":
                return value.partition(b";")[0].strip().lower().decode("latin-1")
        return ""

    async def read(self, limit_bytes: int) -> bytes:
        """Return the whole body. Raises BodyTooLong beyond `limit_bytes`."""
        chunks = self._chunks
        if self._complete and len(chunks) == 1 and len(chunks[0]) <= limit_bytes:
            return chunks.pop()
        pieces: list[bytes] = []
        size = 0
        try:
            while self._chunks or await self._more():
                piece = self._take()
                size += len(piece)
                if size > limit_bytes:
                    raise BodyTooLong(limit_bytes)
                pieces.append(piece)
        finally:
            self.close()
        return b"".join(pieces)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body in pieces as they arrive; what came together comes together."""
        try:
            while self._chunks or await self._more():
                yield self._take()
        finally:
            self.close()

    async def events(self, event_bytes_max: int = EVENT_BYTES_MAX) -> AsyncGenerator[bytes, None]:
        """Yield the data of each server-sent event, whatever its name, up to `[DONE]`."""
        parser = EventParser(event_bytes_max)
        try:
            while (batch := await self.next_events(parser)) is not None:
                for event in batch:
                    yield event.data
        finally:
            self.close()

    async def next_events(self, parser: EventParser) -> list[ServerEvent] | None:
        """The next events, as many as came together; None after `[DONE]` or the end of the body.

        What `events` is made of, for callers that are generators themselves or want names.
        Such a caller must `close` when it leaves early.
        """
        if self.ended:
            return None
        # `_more` written out: a coroutine less for each chunk of a stream.
        while True:
            while not self._chunks:
                if self._ended_or_failed():
                    return self._up_to_end(parser.finish()) or None
                self._waiter = waiter = self.head.get_loop().create_future()
                try:
                    await waiter
                finally:
                    self._waiter = None
            events = parser.feed(self._take())
            if len(events) == 1 and events[0].data != _END_OF_EVENTS:
                return events
            if events:
                return self._up_to_end(events)

    def close(self) -> None:
        """Give up what has not come yet. The peer sees its connection closed. Idempotent."""
        source, self._source = self._source, None
        self._chunks.clear()
        if source is not None:
            source.abandon()

    def _take(self) -> bytes:
        """Everything that is buffered, in one piece."""
        chunks = self._chunks
        chunk = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        was_full = self._buffered_bytes > BUFFERED_BYTES_MAX
        self._buffered_bytes = 0
        if was_full and self._source is not None:
            self._source.resume()
        return chunk

    def _up_to_end(self, events: list[ServerEvent]) -> list[ServerEvent]:
        for position, event in enumerate(events):
            if event.data == _END_OF_EVENTS:
                self.ended = True
                source, self._source = self._source, None
                if source is not None:
                    source.discard_rest()
                return events[:position]
        return events

    async def _more(self) -> bool:
        """Wait for more of the body; False when it has ended. Raises what ended it early."""
        while not self._chunks:
            if self._ended_or_failed():
                return False
            self._waiter = waiter = self.head.get_loop().create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        return True

    def _ended_or_failed(self) -> bool:
        """Whether no more will come. Raises what ended it early."""
        if self._failure is not None:
            raise self._failure
        return self._complete

    # What follows is the side of the client and of the connection.

    def forget(self) -> None:
        """The wait for the head was given up."""
        self.close()
        if self.head.done() and not self.head.cancelled():
            # It failed in the same moment; nobody else will ask why.
            self.head.exception()

    def take_head(self, status: int, raw_headers: list[tuple[bytes, bytes]]) -> None:
        """The head is complete."""
        self.status = status
        self._raw_headers = raw_headers

    def take_chunk(self, chunk: bytes) -> bool:
        """Keep a piece of the body; True when there is too much of it to read on."""
        self._chunks.append(chunk)
        self._buffered_bytes += len(chunk)
        return self._buffered_bytes > BUFFERED_BYTES_MAX

    def complete(self) -> None:
        """The body has ended as it should."""
        self._complete = True
        self._source = None
        self.wake()

    def fail(self, failure: HttpClientError) -> None:
        """There will be no more: what is buffered may still be read, then `failure` is raised."""
        self._source = None
        if self.status == 0:
            waiter = self._waiter
            if waiter is not None and not waiter.done():
                waiter.set_exception(failure)
            return
        self._failure = failure
        self.wake()

    def wake(self) -> None:
        """Something is new: let whoever waits look."""
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
