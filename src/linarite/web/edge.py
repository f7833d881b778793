"""The outermost layer: which plane answers a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.web.asgi import handler_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from linarite.web.asgi import App
    from linarite.web.exchange import Exchange, Handler

MANAGEMENT = ("/subscriptions", "/providers", "/tenants", "/metadata/")
"""where the control plane's paths begin; compared without case"""
MANAGEMENT_CHARACTERS_MAX = max(map(len, MANAGEMENT))


class Edge:
    """Sends exact paths to their pages, the control plane's to it, all others to the data plane."""

    def __init__(
        self, pages: Mapping[str, App], dataplane: Handler, management: Handler | None = None
    ) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it."""
        self._pages = {path: handler_of(app) for path, app in pages.items()}
        self._dataplane = dataplane
        self._management = management or dataplane

    def __call__(self, exchange: Exchange) -> Awaitable[None]:
        """Answer one request."""
        path = exchange.path
        page = self._pages.get(path)
        if page is not None:
            return page(exchange)
        if path.startswith("//"):  # clients join an endpoint that ends in a slash with a path
            path = exchange.path = "/" + path.lstrip("/")
        if path.startswith("/openai/"):
            return self._dataplane(exchange)
        if path[:MANAGEMENT_CHARACTERS_MAX].lower().startswith(MANAGEMENT):
            return self._management(exchange)
        return self._dataplane(exchange)
