"""Who asks Graph, and whether they may.

Whoever holds the management key may everything. A token must be for Graph, and a role must grant
its principal `Microsoft.Directory/<collection>/read|write|delete` at the root. Whoever changes
applications, people and groups can become any of them, so changes take the right to assign roles
there too.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from linarite.domain.principal import SERVICE_PRINCIPAL, USER, Principal
from linarite.signin.graph.refusals import GraphRefused
from linarite.signin.tokens.signing_keys import NotOurs

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask

GRAPH = frozenset(("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"))
MANAGEMENT_KEY = Principal(kind="Key", name="management-key")
ASSIGN = "Microsoft.Authorization/roleAssignments/write"
VERBS = {"GET": "read", "HEAD": "read", "POST": "write", "PATCH": "write", "DELETE": "delete"}


async def graph_caller(ask: Ask, desk: Desk) -> Principal:
    """Who asks. Raises GraphRefused 401."""
    scheme, _, presented = ask.headers.get("authorization", "").partition(" ")
    presented = presented.strip()
    if scheme.lower() != "bearer" or not presented:
        raise _unknown(
            ask,
            "Access token is empty. Sign in, or give the management key: `linarite keys "
            "--management --show` prints it.",
        )
    digest = desk.digest(presented)
    # Every key is compared, in constant time each: how long it takes tells nothing.
    matches = [hmac.compare_digest(digest, known) for known in desk.management]
    if any(matches):
        desk.audit.note_management_key(ask.address, ask.request_id)
        return MANAGEMENT_KEY
    try:
        claims = await desk.keys.read(presented)
    except NotOurs as problem:
        raise _unknown(ask, f"The access token is not valid: {problem}.") from None
    audience = str(claims.get("aud", ""))
    if audience.rstrip("/").lower() not in GRAPH and not desk.audiences.is_this_server(
        audience, ask.base_url
    ):
        raise _unknown(ask, f"The access token is for '{audience}', not for Microsoft Graph.")
    valid_from = desk.book.valid_from(str(claims.get("tid")), str(claims.get("oid")))
    if valid_from is None or claims["iat"] < valid_from:
        raise _unknown(ask, "The principal of the access token is gone, disabled or signed out.")
    return _principal(claims, desk)


def require(principal: Principal, ask: Ask, collection: str, desk: Desk) -> None:
    """Let a caller pass who may do this; read, who may assign a role anywhere.

    Raises GraphRefused 403.
    """
    if principal.is_key:
        return
    verb = VERBS[ask.method]
    # Whoever gives roles away, be it in one group, must find those who are to have them.
    if verb == "read" and desk.access and desk.access.reaches_into(principal, ASSIGN, "/"):
        return
    action = f"Microsoft.Directory/{collection}/{verb}"
    for needed in (action,) if verb == "read" else (action, ASSIGN):
        decision = desk.access.decide(principal, needed, "/") if desk.access is not None else None
        if decision is None or not decision.allowed:
            reason = decision.reason if decision else "only the management key opens the directory"
            raise GraphRefused(
                403,
                "Authorization_RequestDenied",
                f"Insufficient privileges to complete the operation: '{principal.name}' lacks "
                f"{needed} at '/'. {reason}".rstrip(),
            )


def _principal(claims: dict[str, Any], desk: Desk) -> Principal:
    object_id = str(claims["oid"])
    of_user = claims.get("idtyp") == "user"
    return Principal(
        kind=USER if of_user else SERVICE_PRINCIPAL,
        name=str(claims.get("upn") or claims.get("azp") or claims.get("appid") or object_id),
        object_id=object_id,
        tenant_id=desk.tenant,
        app_id=str(claims.get("azp") or claims.get("appid") or ""),
        groups=desk.book.groups_of(object_id),
        issuer=str(claims["iss"]),
        token_id=str(claims.get("uti", "")),
        expires_at=int(claims["exp"]),
    )


def _unknown(ask: Ask, message: str) -> GraphRefused:
    del ask
    return GraphRefused(
        401, "InvalidAuthenticationToken", message, headers={"www-authenticate": "Bearer"}
    )
