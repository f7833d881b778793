"""Small pages that are one body: health, readiness, metrics, and what the command line asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from linarite.web.asgi import App, HeaderList, Receive, Scope, Send

Rendered = tuple[int, str, bytes]
"""status, content type, body"""


def page(render: Callable[[Mapping[bytes, bytes]], Rendered]) -> App:
    """An application that answers GET and HEAD with what `render(headers)` returns."""

    async def at_once(headers: Mapping[bytes, bytes]) -> Rendered:
        return render(headers)

    return action(at_once, "GET", "HEAD")


def action(act: Callable[[Mapping[bytes, bytes]], Awaitable[Rendered]], *methods: str) -> App:
    """An application that answers these methods with what `act(headers)` returns.

    A body is not read.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
        extra: HeaderList = []
        if scope["method"] not in methods:
            status, content_type, body = 405, "text/plain", b"Method not allowed\n"
            extra = [(b"allow", ", ".join(methods).encode())]
        else:
            status, content_type, body = await act(dict(scope["headers"]))
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", content_type.encode()),
                    (b"content-length", b"%d" % len(body)),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                    *extra,
                ],
            }
        )
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    return answer
