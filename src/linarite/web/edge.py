"""The outermost layer: which plane answers a path, and that nothing ever escapes as a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.domain.errors import InternalError
from linarite.web.asgi import handler_of
from linarite.web.error_envelope import error_body
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.web.asgi import App
    from linarite.web.exchange import Exchange, Handler

log = structlog.get_logger("linarite.web")


class Edge:
    """Sends exact paths to their own application and everything else to the data plane."""

    def __init__(self, pages: Mapping[str, App], dataplane: Handler) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it."""
        self._pages = {path: handler_of(app) for path, app in pages.items()}
        self._dataplane = dataplane

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request."""
        handler = self._pages.get(exchange.path, self._dataplane)
        try:
            await handler(exchange)
        except Exception as problem:  # noqa: BLE001 - nothing may escape
            fail(exchange, problem)


def fail(exchange: Exchange, problem: Exception) -> None:
    """Log what escaped, and say so to the client unless its answer has begun."""
    request_id = new_guid()
    log.error("page failed", path=exchange.path, request_id=request_id, exc_info=problem)
    if not exchange.began:
        lines = b"content-type: application/json\r\napim-request-id: %b\r\n" % request_id.encode()
        exchange.respond(500, lines, error_body(InternalError(request_id)))
