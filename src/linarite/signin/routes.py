"""The table of the sign-in plane: every path, a row each."""

from __future__ import annotations

from linarite.signin.documents import discovery_v1, discovery_v2, instance, published_keys
from linarite.signin.grants.token_endpoint import token_v1, token_v2
from linarite.signin.graph.routes import GRAPH_ROUTES
from linarite.signin.router import Route

ROUTES: tuple[Route, ...] = (
    *GRAPH_ROUTES,
    Route("/common/discovery/instance", {"GET": instance}),
    Route("/adfs/.well-known/openid-configuration", {"GET": discovery_v1}),
    Route("/adfs/discovery/keys", {"GET": published_keys}),
    Route("/adfs/oauth2/token", {"POST": token_v2}),
    Route("/{tenant}/v2.0/.well-known/openid-configuration", {"GET": discovery_v2}),
    Route("/{tenant}/.well-known/openid-configuration", {"GET": discovery_v1}),
    Route("/{tenant}/discovery/v2.0/keys", {"GET": published_keys}),
    Route("/{tenant}/discovery/keys", {"GET": published_keys}),
    Route("/{tenant}/oauth2/v2.0/token", {"POST": token_v2}),
    Route("/{tenant}/oauth2/token", {"POST": token_v1}),
)
