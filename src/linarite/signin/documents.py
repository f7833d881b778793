"""OpenID discovery, the keys, and which hosts are one cloud.

Source: learn.microsoft.com, "OpenID Connect on the Microsoft identity platform"; OpenID Connect
Discovery 1.0; MSAL's instance discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from linarite.signin.request import Reply
from linarite.signin.tenants import require_tenant
from linarite.signin.tokens.access_token import V1, V2, issuer
from linarite.signin.tokens.signing_keys import ALGORITHM

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

KEPT = {"cache-control": "public, max-age=300"}


async def discovery_v2(ask: Ask, desk: Desk) -> Reply:
    """`/{tenant}/v2.0/.well-known/openid-configuration`."""
    tenant = f"{ask.base_url}/{require_tenant(ask, desk)}"
    return Reply(
        body=_configuration(desk, V2, f"{tenant}/oauth2/v2.0", f"{tenant}/discovery/v2.0/keys"),
        headers=KEPT,
    )


async def discovery_v1(ask: Ask, desk: Desk) -> Reply:
    """`/{tenant}/.well-known/openid-configuration`; for `/adfs/`, AD FS's own."""
    tenant = f"{ask.base_url}/{require_tenant(ask, desk)}"
    version = V2 if "tenant" not in ask.names else V1
    return Reply(
        body=_configuration(desk, version, f"{tenant}/oauth2", f"{tenant}/discovery/keys"),
        headers=KEPT,
    )


async def published_keys(ask: Ask, desk: Desk) -> Reply:
    """The public keys that tokens verify with."""
    require_tenant(ask, desk)
    return Reply(body=desk.keys.key_set(), headers=KEPT)


async def instance(ask: Ask, desk: Desk) -> Reply:
    """`/common/discovery/instance`: this host, and nobody else, is the cloud."""
    host = urlsplit(ask.base_url).netloc
    return Reply(
        body={
            "tenant_discovery_endpoint": f"{ask.base_url}/{desk.tenant}/v2.0/.well-known/"
            "openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def _configuration(desk: Desk, version: str, oauth2: str, keys: str) -> dict[str, Any]:
    return {
        "issuer": issuer(desk.options.issuer.rstrip("/"), desk.tenant, version),
        "authorization_endpoint": f"{oauth2}/authorize",
        "token_endpoint": f"{oauth2}/token",
        "device_authorization_endpoint": f"{oauth2}/devicecode",
        "end_session_endpoint": f"{oauth2}/logout",
        "jwks_uri": keys,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "code_challenge_methods_supported": ["S256"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "client_secret_basic",
            "private_key_jwt",
        ],
        "claims_supported": [
            *("sub", "iss", "aud", "exp", "iat", "nonce", "name", "oid", "tid", "ver"),
            *("preferred_username", "email"),
        ],
        "request_uri_parameter_supported": False,
        "tenant_region_scope": None,
    }
