"""Tokens in the name of people: device codes, authorization codes, refresh tokens, on-behalf-of.

Source: learn.microsoft.com, "OAuth 2.0 device authorization grant", "Authorization code flow",
"On-Behalf-Of flow".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec

from linarite.signin.directory.records import User
from linarite.signin.grants.outcome import Outcome
from linarite.signin.grants.wanted import wanted_of
from linarite.signin.proofs.client_proof import client_of, require_proof
from linarite.signin.refusals import refused
from linarite.signin.tokens.access_token import Granted
from linarite.signin.tokens.signing_keys import NotOurs

if TYPE_CHECKING:
    from linarite.signin.clients import Client
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.tokens.resources import Wanted

ON_BEHALF_OF = "on_behalf_of"
GRAPH = "https://graph.microsoft.com"
VERIFIER_CHARACTERS_MAX = 128


async def device_code(ask: Ask, version: str, desk: Desk) -> Outcome:
    """`urn:ietf:params:oauth:grant-type:device_code`: has somebody signed in by now?"""
    client = await client_of(ask, desk)
    require_proof(client, "device_code")
    code = ask["device_code"] or ask["code"]
    if not code:
        raise refused(900144, parameter="device_code")
    flow = desk.pending.devices.get(code)
    if flow is None or flow.client_id != client.app_id:
        raise refused(70019)
    if flow.refused:
        desk.pending.devices.take(code)
        raise refused(70000)
    if flow.user is None:
        raise refused(70020 if desk.pending.now() >= flow.ends_at else 70016)
    desk.pending.devices.take(code)
    user = standing(flow.user.object_id, flow.user.valid_from, desk)
    return await _first(client, user, flow.wanted, version, "device_code", desk)


async def authorization_code(ask: Ask, version: str, desk: Desk) -> Outcome:
    """`authorization_code`, which is good once, and only with the verifier of its challenge."""
    client = await client_of(ask, desk)
    require_proof(client, "authorization_code")
    if not ask["code"]:
        raise refused(900144, parameter="code")
    flow = desk.pending.codes.take(ask["code"])
    if flow is None or flow.client_id != client.app_id:
        raise refused(54005)
    if flow.redirect_uri != ask["redirect_uri"]:
        raise refused(50011, uri=ask["redirect_uri"], client=client.app_id)
    # A verifier without a challenge: somebody has taken the challenge out on its way, RFC 9700.
    if (flow.challenge or ask["code_verifier"]) and not _verifies(
        ask["code_verifier"], flow.challenge
    ):
        raise refused(501481)
    user = standing(flow.user.object_id, flow.signed_in_at, desk)
    outcome = await _first(client, user, flow.wanted, version, "authorization_code", desk)
    return msgspec.structs.replace(outcome, nonce=flow.nonce)


async def refresh_token(ask: Ask, version: str, desk: Desk) -> Outcome:
    """`refresh_token`: another token, for another resource if one is named."""
    client = await client_of(ask, desk)
    require_proof(client, "refresh_token")
    if not ask["refresh_token"]:
        raise refused(900144, parameter="refresh_token")
    named = ask["scope"] or ask["resource"]
    # Before the token is used up: who asks for what is not there asks again with the same one.
    wanted = _or_graph(wanted_of(ask, desk), ask, desk) if named else None
    following, session = await desk.sessions.renew(ask["refresh_token"], client.app_id)
    user = standing(session.object_id, session.signed_in_at, desk)
    wanted = wanted or person_wants(ask, session.scope, desk)
    granted = Granted(user, wanted, client.app_id, client.proof, version)
    return Outcome(granted, client, "refresh", following)


async def on_behalf_of(ask: Ask, version: str, desk: Desk) -> Outcome:
    """`urn:ietf:params:oauth:grant-type:jwt-bearer`: a service goes on in a person's name."""
    client = await client_of(ask, desk)
    require_proof(client, "client_credentials")
    if ask["requested_token_use"] != ON_BEHALF_OF:
        raise refused(900144, parameter="requested_token_use")
    try:
        claims = await desk.keys.read(ask["assertion"])
    except NotOurs as problem:
        raise refused(50013, why=str(problem)) from None
    audience = str(claims.get("aud", ""))
    meant = desk.book.resource_application(audience)
    if meant is None or meant.app_id != client.app_id:
        raise refused(500131, audience=audience, client=client.app_id)
    if claims.get("idtyp") != "user":
        raise refused(50013, why="it is no person's: an application asks for itself")
    user = standing(str(claims["oid"]), int(claims["iat"]), desk)
    wanted = wanted_of(ask, desk)
    if not wanted.audience:
        raise refused(70011, scope=ask["scope"])
    granted = Granted(user, wanted, client.app_id, client.proof, version)
    following = ""
    if "offline_access" in wanted.openid:
        following = await desk.sessions.begin(
            desk.sessions.first(client.app_id, user.object_id, wanted.text, int(claims["iat"]))
        )
    return Outcome(granted, client, "on_behalf_of", following)


def standing(object_id: str, since: int, desk: Desk) -> User:
    """The person, if what they did at `since` still holds. Raises SignInRefused."""
    user = desk.book.find(User, object_id)
    if user is None or user.valid_from > since:
        raise refused(50173)
    if not user.enabled:
        raise refused(50057)
    return user


async def _first(
    client: Client, user: User, wanted: Wanted, version: str, how: str, desk: Desk
) -> Outcome:
    """The first tokens of a session."""
    following = ""
    if "offline_access" in wanted.openid:
        following = await desk.sessions.begin(
            desk.sessions.first(client.app_id, user.object_id, wanted.text, int(desk.now()))
        )
    granted = Granted(user, wanted, client.app_id, client.proof, version)
    return Outcome(granted, client, how, following)


def person_wants(ask: Ask, scope: str, desk: Desk) -> Wanted:
    """What a sign-in of a person is for; OpenID's scopes alone are for Graph, as in Entra ID."""
    wanted = desk.audiences.by_scope(scope, ask.base_url)
    return _or_graph(wanted, ask, desk)


def _or_graph(wanted: Wanted, ask: Ask, desk: Desk) -> Wanted:
    if wanted.audience:
        return wanted
    graph = desk.audiences.by_name(GRAPH, ask.base_url)
    return msgspec.structs.replace(graph, openid=wanted.openid)


def _verifies(verifier: str, challenge: str) -> bool:
    """PKCE, RFC 7636, 4.6."""
    digest = hashlib.sha256(verifier[:VERIFIER_CHARACTERS_MAX].encode()).digest()
    made = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return hmac.compare_digest(made.encode(), challenge.encode())
