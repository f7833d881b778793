"""The outermost layer: which plane answers a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.web.asgi import handler_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from linarite.web.asgi import App
    from linarite.web.exchange import Exchange, Handler


class Edge:
    """Sends exact paths to their own application and everything else to the data plane."""

    def __init__(self, pages: Mapping[str, App], dataplane: Handler) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it."""
        self._pages = {path: handler_of(app) for path, app in pages.items()}
        self._dataplane = dataplane

    def __call__(self, exchange: Exchange) -> Awaitable[None]:
        """Answer one request."""
        return self._pages.get(exchange.path, self._dataplane)(exchange)
