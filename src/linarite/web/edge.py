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
SIGN_IN = ("/devicelogin", "/adfs/", "/metadata/identity/", "/msi/", "/v1.0/")
"""where paths of the sign-in plane begin that name no tenant; compared without case"""
SIGN_IN_CHARACTERS_MAX = max(map(len, SIGN_IN))
AFTER_TENANT = frozenset(("oauth2", "v2.0", ".well-known", "discovery"))
"""what follows the tenant in the other paths of the sign-in plane"""


class Edge:
    """Sends exact paths to their pages, a plane's to it, all others to the data plane."""

    def __init__(
        self,
        pages: Mapping[str, App],
        dataplane: Handler,
        management: Handler | None = None,
        sign_in: Handler | None = None,
    ) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it."""
        self._pages = {path: handler_of(app) for path, app in pages.items()}
        self._dataplane = dataplane
        self._management = management or dataplane
        self._sign_in = sign_in or dataplane

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
        if is_sign_in(path):
            return self._sign_in(exchange)
        if path[:MANAGEMENT_CHARACTERS_MAX].lower().startswith(MANAGEMENT):
            return self._management(exchange)
        return self._dataplane(exchange)


def is_sign_in(path: str) -> bool:
    """Whether a path is the sign-in plane's."""
    if path[:SIGN_IN_CHARACTERS_MAX].lower().startswith(SIGN_IN):
        return True
    parts = path.split("/", 3)
    return len(parts) > 2 and parts[2].lower() in AFTER_TENANT  # noqa: PLR2004 - "", tenant, word
