"""Server-sent events, framed as Azure OpenAI frames them: `data: {…}` and a blank line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.web.error_envelope import error_object

if TYPE_CHECKING:
    from linarite.domain.errors import LinariteError

DONE = b"data: [DONE]\n\n"

STREAM_LINES = (
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache, must-revalidate\r\n"
    b"x-accel-buffering: no\r\n"
)


def frame(payload: bytes) -> bytes:
    """One event. `payload` is JSON on one line, so no `data:` line needs splitting."""
    return b"data: " + payload + b"\n\n"


def error_frame(error: LinariteError) -> bytes:
    """A failure after the stream began: the official SDKs raise on a truthy `error`."""
    return b'data: {"error":' + error_object(error) + b"}\n\n"
