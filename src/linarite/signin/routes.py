"""The table of the sign-in plane: every path, a row each."""

from __future__ import annotations

from linarite.signin.documents import discovery_v1, discovery_v2, instance, published_keys
from linarite.signin.grants.token_endpoint import token_v1, token_v2
from linarite.signin.graph.routes import GRAPH_ROUTES
from linarite.signin.managed import endpoints
from linarite.signin.pages import authorize, device
from linarite.signin.router import Route

ROUTES: tuple[Route, ...] = (
    *GRAPH_ROUTES,
    Route("/common/discovery/instance", {"GET": instance}),
    Route("/adfs/.well-known/openid-configuration", {"GET": discovery_v1}),
    Route("/adfs/discovery/keys", {"GET": published_keys}),
    Route("/adfs/oauth2/token", {"POST": token_v2}),
    Route("/adfs/oauth2/devicecode", {"POST": device.begin}),
    Route("/adfs/oauth2/authorize", {"GET": authorize.show, "POST": authorize.answer}),
    Route("/adfs/oauth2/logout", {"GET": authorize.logout}),
    Route("/metadata/identity/oauth2/token", {"GET": endpoints.of_machine}),
    Route("/msi/token", {"GET": endpoints.of_app}),
    Route(device.PATH, {"GET": device.show, "POST": device.answer}),
    Route("/{tenant}/v2.0/.well-known/openid-configuration", {"GET": discovery_v2}),
    Route("/{tenant}/.well-known/openid-configuration", {"GET": discovery_v1}),
    Route("/{tenant}/discovery/v2.0/keys", {"GET": published_keys}),
    Route("/{tenant}/discovery/keys", {"GET": published_keys}),
    Route("/{tenant}/oauth2/v2.0/token", {"POST": token_v2}),
    Route("/{tenant}/oauth2/v2.0/devicecode", {"POST": device.begin}),
    Route("/{tenant}/oauth2/v2.0/authorize", {"GET": authorize.show, "POST": authorize.answer}),
    Route("/{tenant}/oauth2/v2.0/logout", {"GET": authorize.logout}),
    Route("/{tenant}/oauth2/token", {"POST": token_v1}),
    Route("/{tenant}/oauth2/devicecode", {"POST": device.begin}),
    Route("/{tenant}/oauth2/authorize", {"GET": authorize.show, "POST": authorize.answer}),
    Route("/{tenant}/oauth2/logout", {"GET": authorize.logout}),
)
