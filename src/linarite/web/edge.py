"""The outermost layer: which plane answers a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.account_names import ANY_SITE
from linarite.domain.errors import LinariteError, ResourceNotFound
from linarite.web.asgi import handler_of
from linarite.web.body import respond
from linarite.web.error_envelope import error_body
from linarite.web.hosts import Hosts
from linarite.web.ids import new_guid
from linarite.web.options import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from linarite.domain.arrival import Arrival, Plane
    from linarite.web.asgi import App
    from linarite.web.exchange import Exchange, Handler

MANAGEMENT = ("/subscriptions", "/providers", "/tenants", "/metadata/")
"""where the control plane's paths begin; compared without case"""
MANAGEMENT_CHARACTERS_MAX = max(map(len, MANAGEMENT))
SIGN_IN = ("/devicelogin", "/adfs/", "/metadata/identity/", "/msi/", "/v1.0/")
"""where paths of the sign-in plane begin that name no tenant; compared without case"""
SIGN_IN_CHARACTERS_MAX = max(map(len, SIGN_IN))
JSON_LINES = b"content-type: application/json\r\n"
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
        *,
        hosts: Hosts | None = None,
    ) -> None:
        """`pages` maps a path such as `/healthz` to the application that answers it.

        `hosts` are the names that are answered to; without them, those of a server without
        settings.
        """
        self.hosts = hosts or Hosts(Server())
        self._pages = {path: handler_of(app) for path, app in pages.items()}
        self._dataplane = dataplane
        self._management = management or dataplane
        self._sign_in = sign_in or dataplane

    def __call__(self, exchange: Exchange) -> Awaitable[None]:
        """Answer one request, as far as its host is known and its listener carries the plane."""
        named = exchange.named
        if (
            self.hosts.known.get(named.get(b"host")) is not ANY_SITE
            or len(named) != len(exchange.headers)  # some header came twice: maybe Host
            or exchange.server_name
        ):
            try:
                exchange.site = self.hosts.site(exchange)
            except LinariteError as refusal:
                return refused(exchange, refusal)
        plane, handler = self._found(exchange)
        if plane not in exchange.arrival.planes:
            return refused(exchange, not_carried(exchange.arrival, plane))
        return handler(exchange)

    def _found(self, exchange: Exchange) -> tuple[Plane, Handler]:
        path = exchange.path
        page = self._pages.get(path)
        if page is not None:
            return "operations", page
        if path.startswith("//"):  # clients join an endpoint that ends in a slash with a path
            path = exchange.path = "/" + path.lstrip("/")
        if path.startswith("/openai/") or exchange.site is not ANY_SITE:
            return "data", self._dataplane  # an account's name leads to nothing else
        if is_sign_in(path):
            return "sign-in", self._sign_in
        if path[:MANAGEMENT_CHARACTERS_MAX].lower().startswith(MANAGEMENT):
            return "control", self._management
        return "data", self._dataplane


def not_carried(arrival: Arrival, plane: Plane) -> ResourceNotFound:
    """Say which setting has the planes of a listener."""
    return ResourceNotFound(
        hint={
            "code": "PlaneNotCarried",
            "message": f"The listener '{arrival.listener}' does not carry the {plane} plane.",
        }
    )


async def refused(exchange: Exchange, error: LinariteError) -> None:
    """Answer what reaches no plane."""
    body = error_body(error)
    request_id = new_guid().encode()
    lines = b"%bapim-request-id: %b\r\n" % (JSON_LINES, request_id)
    await respond(exchange, error.status, lines, body, body_left=not exchange.body_complete)


def is_sign_in(path: str) -> bool:
    """Whether a path is the sign-in plane's."""
    if path[:SIGN_IN_CHARACTERS_MAX].lower().startswith(SIGN_IN):
        return True
    parts = path.split("/", 3)
    return len(parts) > 2 and parts[2].lower() in AFTER_TENANT  # noqa: PLR2004 - "", tenant, word
