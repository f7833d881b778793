"""What can go wrong between sending a request and the last byte of its answer.

    HttpClientError
    ├── ConnectError      no connection could be made; nothing was sent
    ├── ConnectionLost    the peer went away
    ├── DeadlinePassed    nothing came for too long
    ├── MalformedReply    what came is not HTTP/1.1
    └── BodyTooLong       more came than the caller allows

An engine turns them into what the caller should see. Should one slip through, it is shown as a
failed engine, because that is what it is.
"""

from __future__ import annotations

from linarite.domain.errors import EngineFailed


class HttpClientError(EngineFailed):
    """The root of the client's own errors."""


class ConnectError(HttpClientError):
    """No connection could be made; nothing was sent, so the request may be sent elsewhere."""


class ConnectionLost(HttpClientError):
    """The connection ended before the answer did.

    `received_any` is False when not one byte of an answer had come.
    """

    def __init__(self, *, received_any: bool) -> None:
        """Say how far the answer got."""
        how_far = "in the middle of its answer" if received_any else "before it answered"
        super().__init__(f"The engine closed the connection {how_far}.")
        self.received_any = received_any


class DeadlinePassed(HttpClientError):
    """Nothing came for too long; the connection was closed."""

    def __init__(self, *, answer_began: bool) -> None:
        """Say which of the two waits it was: for the answer, or between pieces of it."""
        waited_for = "more of its answer" if answer_began else "its answer"
        super().__init__(f"The engine sent nothing in time while waiting for {waited_for}.")
        self.answer_began = answer_began


class MalformedReply(HttpClientError):
    """What came is not an HTTP/1.1 answer, or its head or framing is too long."""


class BodyTooLong(HttpClientError):
    """A body, or one event of a stream, is longer than the caller allows."""

    def __init__(self, limit_bytes: int) -> None:
        """Name the limit."""
        super().__init__(f"The engine's answer is longer than {limit_bytes} bytes.")
