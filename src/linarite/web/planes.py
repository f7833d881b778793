"""Which plane answers a path, where one listener carries several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from linarite.web.exchange import Exchange, Handler

MANAGEMENT = ("/subscriptions", "/providers", "/tenants", "/metadata/")
"""where the control plane's paths begin; compared without case"""


def by_plane(management: Handler, dataplane: Handler) -> Handler:
    """The control plane for its paths, the data plane for all others, tried first."""

    def choose(exchange: Exchange) -> Awaitable[None]:
        path = exchange.path
        if path.startswith("//"):  # clients join an endpoint that ends in a slash with a path
            path = exchange.path = "/" + path.lstrip("/")
        if path.startswith("/openai/") or not path[:14].lower().startswith(MANAGEMENT):
            return dataplane(exchange)
        return management(exchange)

    return choose
