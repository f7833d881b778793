"""Small pages that are one body: health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.web.asgi import App, HeaderList, Receive, Scope, Send

Rendered = tuple[int, str, bytes]
"""status, content type, body"""


Render = Callable[[Mapping[bytes, bytes]], Rendered | Awaitable[Rendered]]


def page(render: Render) -> App:
    """An application that answers GET and HEAD with what `render(headers)` returns.

    It may return an awaitable of it.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - ASGI
        extra: HeaderList = []
        if scope["method"] not in {"GET", "HEAD"}:
            status, content_type, body = 405, "text/plain", b"Method not allowed\n"
            extra = [(b"allow", b"GET, HEAD")]
        else:
            rendered = render(dict(scope["headers"]))
            if not isinstance(rendered, tuple):
                rendered = await rendered
            status, content_type, body = rendered
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
