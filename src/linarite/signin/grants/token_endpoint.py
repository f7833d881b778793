"""`/{tenant}/oauth2/v2.0/token`, `/{tenant}/oauth2/token` and `/adfs/oauth2/token`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from linarite.domain.sign_in import SignInEvent
from linarite.signin.directory.records import User
from linarite.signin.grants.client_credentials import client_credentials
from linarite.signin.grants.outcome import Outcome
from linarite.signin.grants.people import (
    authorization_code,
    device_code,
    on_behalf_of,
    refresh_token,
)
from linarite.signin.refusals import SignInRefused, refused
from linarite.signin.request import Ask, Reply
from linarite.signin.tenants import require_tenant
from linarite.signin.tokens.access_token import V1, V2, access_token, client_info, id_claims

if TYPE_CHECKING:
    from linarite.signin.desk import Desk

Grant = Callable[[Ask, str, "Desk"], Awaitable[Outcome]]

GRANTS: dict[str, Grant] = {
    "client_credentials": client_credentials,
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "urn:ietf:params:oauth:grant-type:device_code": device_code,
    "device_code": device_code,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": on_behalf_of,
}
"""by `grant_type`"""
WAITING = frozenset((70016,))
"""refusals that are no attempt of anybody"""


async def token_v2(ask: Ask, desk: Desk) -> Reply:
    """A token of version 2, for `scope`."""
    return await _token(ask, V2, desk)


async def token_v1(ask: Ask, desk: Desk) -> Reply:
    """A token of version 1, for `resource`."""
    return await _token(ask, V1, desk)


async def _token(ask: Ask, version: str, desk: Desk) -> Reply:
    require_tenant(ask, desk)
    kind = ask["grant_type"]
    try:
        outcome = await _granted(kind, ask, version, desk)
    except SignInRefused as problem:
        if problem.number not in WAITING:
            await desk.tell(
                ask,
                SignInEvent(
                    at=0,
                    how=kind[:100] or "unknown",
                    client_id=ask["client_id"][:100],
                    resource=(ask["scope"] or ask["resource"])[:200],
                    code=problem.number,
                ),
            )
        raise
    reply = await _answer(ask, outcome, desk)
    holder = outcome.granted.holder
    await desk.tell(
        ask,
        SignInEvent(
            at=0,
            how=outcome.how,
            client_id=outcome.client.app_id,
            object_id=holder.object_id,
            name=holder.upn if isinstance(holder, User) else holder.name,
            resource=outcome.granted.wanted.audience,
        ),
    )
    return reply


async def _granted(kind: str, ask: Ask, version: str, desk: Desk) -> Outcome:
    if not kind:
        raise refused(900144, parameter="grant_type")
    if kind == "password":
        raise refused(70002)
    grant = GRANTS.get(kind)
    if grant is None:
        raise refused(70003, grant=kind)
    return await grant(ask, version, desk)


async def _answer(ask: Ask, outcome: Outcome, desk: Desk) -> Reply:
    granted, wanted = outcome.granted, outcome.granted.wanted
    seconds = desk.options.token_minutes * 60
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": await access_token(granted, desk),
    }
    if granted.version == V1:
        moment = int(desk.now())
        # Version 1 writes numbers as texts.
        body |= {
            "expires_in": str(seconds),
            "ext_expires_in": str(seconds),
            "expires_on": str(moment + seconds),
            "not_before": str(moment),
            "resource": wanted.audience,
        }
    if isinstance(granted.holder, User):
        body["scope"] = wanted.text
        if outcome.refresh_token:
            body["refresh_token"] = outcome.refresh_token
        if "openid" in wanted.openid or granted.version == V1:
            body["id_token"] = await desk.keys.sign(id_claims(granted, outcome.nonce, desk))
        if ask["client_info"] == "1":
            body["client_info"] = client_info(granted.holder, desk)
    return Reply(body=body)
