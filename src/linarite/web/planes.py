"""Which plane answers a path, where one listener carries several."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.web.asgi import App, Receive, Scope, Send

MANAGEMENT = ("/subscriptions", "/providers", "/tenants", "/metadata/")
"""where the control plane's paths begin; compared without case"""


def by_plane(management: App, dataplane: App) -> App:
    """The control plane for its paths, the data plane for all others, tried first."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/openai/") or not path[:14].lower().startswith(MANAGEMENT):
            await dataplane(scope, receive, send)
        else:
            await management(scope, receive, send)

    return answer
