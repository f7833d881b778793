"""Access tokens, their claims as Microsoft Entra ID's.

Source: learn.microsoft.com, "Access token claims reference".
"""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.signin.directory.records import ServicePrincipal, User
from linarite.signin.tokens.resources import Wanted

if TYPE_CHECKING:
    from linarite.signin.desk import Desk

GROUPS_MAX = 200
"""more than these do not fit a header: the token says where to ask for them"""
V1, V2 = "1.0", "2.0"


class Granted(msgspec.Struct, frozen=True):
    """What a token is to say."""

    holder: ServicePrincipal | User
    wanted: Wanted
    client_id: str
    proof: str = "0"
    """`azpacr`: 0 for a public client, 1 for a secret, 2 for a certificate"""
    version: str = V2


def issuer(base: str, tenant: str, version: str) -> str:
    """`iss`: of version 1 it ends in the tenant and a slash."""
    return f"{base}/{tenant}/" if version == V1 else f"{base}/{tenant}/v2.0"


async def access_token(granted: Granted, desk: Desk) -> str:
    """A signed access token."""
    return await desk.keys.sign(access_claims(granted, desk))


def access_claims(granted: Granted, desk: Desk) -> dict[str, Any]:
    """What an access token says."""
    holder, wanted = granted.holder, granted.wanted
    moment = int(desk.now())
    claims: dict[str, Any] = {
        "aud": audience(granted),
        "iss": issuer(desk.options.issuer.rstrip("/"), desk.tenant, granted.version),
        "iat": moment,
        "nbf": moment,
        "exp": moment + desk.options.token_minutes * 60,
        "tid": desk.tenant,
        "oid": holder.object_id,
        "sub": holder.object_id,
        "uti": secrets.token_urlsafe(16),
        "ver": granted.version,
    }
    if granted.version == V1:
        claims |= {"appid": granted.client_id, "appidacr": granted.proof}
    else:
        claims |= {"azp": granted.client_id, "azpacr": granted.proof}
    claims |= _of_user(granted, holder) if isinstance(holder, User) else _of_app(holder)
    roles = roles_of(holder, wanted, desk)
    if roles:
        claims["roles"] = roles
    groups = sorted(desk.book.groups_of(holder.object_id))
    if len(groups) > GROUPS_MAX:
        claims["hasgroups"] = True
    elif groups:
        claims["groups"] = groups
    return claims


def audience(granted: Granted) -> str:
    """`aud`: what was asked for; of a registered application, in version 2, its client id."""
    application = granted.wanted.application
    if application is not None and granted.version == V2:
        return application.app_id
    return granted.wanted.audience


def roles_of(holder: ServicePrincipal | User, wanted: Wanted, desk: Desk) -> list[str]:
    """The values of the application's own roles that somebody holds."""
    if wanted.application is None:
        return []
    of = desk.book.service_principal(wanted.application.app_id)
    held = {each.role_id for each in holder.roles if of and each.resource_id == of.object_id}
    return [each.value for each in wanted.application.app_roles if each.id in held]


def id_claims(granted: Granted, nonce: str, desk: Desk) -> dict[str, Any]:
    """What an ID token says: who signed in, to the application itself."""
    holder = granted.holder
    moment = int(desk.now())
    claims: dict[str, Any] = {
        "aud": granted.client_id,
        "iss": issuer(desk.options.issuer.rstrip("/"), desk.tenant, granted.version),
        "iat": moment,
        "nbf": moment,
        "exp": moment + desk.options.token_minutes * 60,
        "tid": desk.tenant,
        "oid": holder.object_id,
        "sub": holder.object_id,
        "name": holder.name,
        "ver": granted.version,
        "uti": secrets.token_urlsafe(16),
    }
    if isinstance(holder, User):
        claims["preferred_username"] = holder.upn
        if holder.mail:
            claims["email"] = holder.mail
    return claims | ({"nonce": nonce} if nonce else {})


def client_info(holder: ServicePrincipal | User, desk: Desk) -> str:
    """`client_info`: by what MSAL's caches know an account."""
    told = msgspec.json.encode({"uid": holder.object_id, "utid": desk.tenant})
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _of_user(granted: Granted, user: User) -> dict[str, Any]:
    scopes = granted.wanted.scopes or ("user_impersonation",)
    claims: dict[str, Any] = {"idtyp": "user", "name": user.name, "scp": " ".join(scopes)}
    if granted.version == V1:
        return claims | {"upn": user.upn, "unique_name": user.upn}
    return claims | {"preferred_username": user.upn, "upn": user.upn}


def _of_app(principal: ServicePrincipal) -> dict[str, Any]:
    claims: dict[str, Any] = {"idtyp": "app", "app_displayname": principal.name}
    if principal.resource_id:
        claims["xms_mirid"] = principal.resource_id
    return claims
