"""Reading a request's body: bounded in size and in time, of the right type."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from linarite.domain.errors import BodyTooLarge, RequestTimedOut, UnsupportedContentType

if TYPE_CHECKING:
    from linarite.web.asgi import Receive, Scope

ARRIVED = "linarite.arrived"
"""an extension of our server: a callable that takes the body if all of it has come, else None"""
LINGER_S = 2.0


class ClientLeft(Exception):
    """The client closed the connection before an answer began."""


async def read_json_body(
    scope: Scope, receive: Receive, headers: dict[bytes, bytes], limit_bytes: int, deadline_s: float
) -> bytes:
    """The whole body.

    Raises UnsupportedContentType, BodyTooLarge (before reading when the length is announced),
    RequestTimedOut when it has not all come after `deadline_s`, ClientLeft.
    """
    _require_json(headers)
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    extensions = scope.get("extensions")
    # Taken out: it refers to the server's request, which refers to the scope.
    if extensions is not None and (arrived := extensions.pop(ARRIVED, None)) is not None:
        whole: bytes | None = arrived()
        if whole is not None:
            if len(whole) > limit_bytes:
                raise BodyTooLarge(limit_bytes)
            return whole
    deadline = _Deadline(deadline_s)
    try:
        return await _collect(receive, limit_bytes)
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


def _require_json(headers: dict[bytes, bytes]) -> None:
    content_type = headers.get(b"content-type")
    if content_type is None or content_type == b"application/json":
        return
    kind = content_type.split(b";")[0].strip().lower()
    if kind == b"application/json" or kind.endswith(b"+json"):
        return
    raise UnsupportedContentType(content_type.decode("latin-1"))


async def _collect(receive: Receive, limit_bytes: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(body) <= limit_bytes:
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body", False):
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        part: bytes = message.get("body", b"")
        size += len(part)
        parts.append(part)
    if size > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    return b"".join(parts)


async def discard_rest(receive: Receive) -> None:
    """Read a refused body to its end and forget it, for `LINGER_S` at most.

    Closing while the client still sends resets the connection, and then many clients report a
    broken connection instead of the refusal that they were sent.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            message = await receive()
            while message["type"] == "http.request" and message.get("more_body", False):
                message = await receive()
