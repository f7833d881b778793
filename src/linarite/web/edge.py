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
            await self._answer(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._pages.get(scope["path"], self._dataplane)
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            if app is self._dataplane:
                # It guards itself, and the wrapper would cost a call for every chunk.
                await app(scope, receive, send)
            else:
                await app(scope, receive, watched)
        except Exception:
            request_id = new_guid()
            log.exception("page failed", path=scope["path"], request_id=request_id)
            if not begun:
                body = error_body(InternalError(request_id))
                await send(
                    {
                        "type": "http.response.start",
                        "status": 500,
                        "headers": [
                            (b"content-type", b"application/json"),
                            (b"apim-request-id", request_id.encode()),
                        ],
                    }
                )
                await send({"type": "http.response.body", "body": body})
