"""The outermost layer: which plane answers a path, and that nothing ever escapes as a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import InternalError
from linarite.web.error_envelope import error_body
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.web.asgi import App, Message, Receive, Scope, Send

log = structlog.get_logger("linarite.web")


class Edge:
    """Sends exact paths to their own application and everything else to the data plane."""

    def __init__(self, pages: Mapping[str, App], dataplane: App) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it."""
        self._pages = pages
        self._dataplane = dataplane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection's request. WebSockets are refused: no operation takes them yet."""
        if scope["type"] == "http":
            page = self._pages.get(scope["path"])
            if page is not None:
                await self._show(page, scope, receive, send)
                return
            try:
                # It sends by itself: a look at each message would cost a call for every chunk.
                await self._dataplane(scope, receive, send)
            except Exception as problem:  # noqa: BLE001 - nothing may escape
                await _fail(scope, send, problem)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _show(self, page: App, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await page(scope, receive, watched)
        except Exception as problem:  # noqa: BLE001 - nothing may escape
            await _fail(scope, send, problem, begun=begun)


async def _fail(scope: Scope, send: Send, problem: Exception, *, begun: bool = False) -> None:
    """Log what escaped, and say so to the client unless its answer has begun."""
    request_id = new_guid()
    log.error("page failed", path=scope["path"], request_id=request_id, exc_info=problem)
    if begun:
        return
    body = error_body(InternalError(request_id))
    headers = [(b"content-type", b"application/json"), (b"apim-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": body})
