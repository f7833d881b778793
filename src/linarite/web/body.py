"""Reading a request's body: bounded in size and in time, of the right type."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from linarite.domain.errors import BodyTooLarge, RequestTimedOut, UnsupportedContentType
from linarite.web.exchange import BUFFERED_BYTES_MAX, ClientLeft

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from linarite.web.exchange import Exchange

LINGER_S = 2.0
IDENTITY = "identity"


def read_json_body(
    exchange: Exchange, limit_bytes: int, deadline_s: float
) -> Coroutine[object, object, bytes]:
    """`read_body`, of what is not announced as anything but JSON, as it is.

    Raises UnsupportedContentType at once.
    """
    content_type = exchange.named.get(b"content-type")
    if content_type is not None and content_type != b"application/json":
        _require_json(content_type)
    encoding = exchange.named.get(b"content-encoding")
    if encoding is not None and encoding.lower() != IDENTITY.encode():
        raise UnsupportedContentType(encoding.decode("latin-1"), IDENTITY, "encoding")
    return read_body(exchange, limit_bytes, deadline_s)


async def read_body(exchange: Exchange, limit_bytes: int, deadline_s: float) -> bytes:
    """The whole body.

    Raises BodyTooLarge (before reading when the length is announced), RequestTimedOut when it has
    not all come after `deadline_s`, ServiceUnavailable while others hold too much, ClientLeft.
    """
    announced = exchange.named.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    whole = exchange.arrived()
    if whole is not None:
        if len(whole) > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        return whole
    deadline = _Deadline(deadline_s)
    try:
        return await _collect(exchange, limit_bytes)
    except asyncio.CancelledError:
        # Whoever else cancels this task, at the very same moment, comes first.
        if not deadline.passed or deadline.task.uncancel() > 0:
            raise
        raise RequestTimedOut(
            f"The request body did not arrive within {deadline_s:g} seconds."
        ) from None
    finally:
        deadline.timer.cancel()


class _Deadline:
    """Cancels the running task when it has passed: `asyncio.timeout` at a third of its cost."""

    __slots__ = ("passed", "task", "timer")

    def __init__(self, after_s: float) -> None:
        self.passed = False
        self.task = cast("asyncio.Task[object]", asyncio.current_task())
        self.timer = self.task.get_loop().call_later(after_s, self._pass)

    def _pass(self) -> None:
        self.passed = True
        self.task.cancel()


def _require_json(content_type: bytes) -> None:
    kind = content_type.split(b";")[0].strip().lower()
    if kind != b"application/json" and not kind.endswith(b"+json"):
        raise UnsupportedContentType(content_type.decode("latin-1"))


async def _collect(exchange: Exchange, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while not exchange.body_taken:
        part = await exchange.next_piece()
        size += len(part)
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if size > BUFFERED_BYTES_MAX:
            exchange.hold(len(part))
        parts.append(part)
    return b"".join(parts)


async def respond(
    exchange: Exchange, status: int, lines: bytes, content: bytes, *, body_left: bool
) -> None:
    """Answer whole. With `body_left` of the request, the connection closes once that has come."""
    if not body_left:
        exchange.respond(status, lines, content)
        return
    exchange.keep_alive = False
    exchange.begin(status, lines, length=len(content))
    exchange.write(content)
    await discard_rest(exchange)
    exchange.end()


async def discard_rest(exchange: Exchange) -> None:
    """Read a refused body to its end and forget it, for `LINGER_S` at most.

    Closing while the client still sends resets the connection, and then many clients report a
    broken connection instead of the refusal that they were sent.
    """
    with suppress(TimeoutError, ClientLeft):
        async with asyncio.timeout(LINGER_S):
            while not exchange.body_taken:
                await exchange.next_piece()
