"""`/{tenant}/oauth2/v2.0/authorize`: a person signs in for an application that sent them here.

Source: RFC 6749, 4.1; RFC 7636; RFC 9700; OpenID Connect Core 1.0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec

from linarite.signin.clients import Client, known_client, may_return_to
from linarite.signin.grants.pending import CodeFlow
from linarite.signin.grants.people import person_wants
from linarite.signin.pages.html import field, form, hidden, page, paragraph, wrong
from linarite.signin.pages.origin import is_from_elsewhere
from linarite.signin.proofs.password import signed_in
from linarite.signin.refusals import SignInRefused, refused
from linarite.signin.request import Reply
from linarite.signin.tenants import require_tenant

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.tokens.resources import Wanted

TITLE = "Sign in"
AUTHORITY = re.compile(r"[\w.:\[\]-]*", re.ASCII)
CHALLENGE = re.compile(r"[\w-]{43}", re.ASCII)
MODES = frozenset(("query", "fragment", "form_post"))
STATE_CHARACTERS_MAX = 4096


class Wish(msgspec.Struct, frozen=True):
    """A request for a code that is right so far."""

    client: Client
    redirect_uri: str
    mode: str
    state: str


async def show(ask: Ask, desk: Desk) -> Reply:
    """The page asks for name and password."""
    try:
        wish = _wish(ask, desk)
    except SignInRefused as problem:
        return _told(problem)
    try:
        _wanted(ask, wish, desk)
        if ask.query.get("prompt") == "none":
            raise refused(50058)
    except SignInRefused as problem:
        return _sent_back(wish, problem)
    return _ask_for_password(wish, ask.query.get("login_hint", "")[:200])


async def answer(ask: Ask, desk: Desk) -> Reply:
    """Name and password came; the code goes to the application."""
    try:
        wish = _wish(ask, desk)
    except SignInRefused as problem:
        return _told(problem)
    try:
        wanted = _wanted(ask, wish, desk)
        if ask["cancel"]:
            raise refused(65004)
    except SignInRefused as problem:
        return _sent_back(wish, problem)
    if is_from_elsewhere(ask):
        return _ask_for_password(wish, "", "This form came from another site.", 400)
    try:
        user = await signed_in(ask, wish.client.app_id, desk)
    except SignInRefused as problem:
        return _ask_for_password(wish, ask["username"], problem.message, problem.status)
    flow = CodeFlow(
        client_id=wish.client.app_id,
        redirect_uri=wish.redirect_uri,
        wanted=wanted,
        challenge=ask.query.get("code_challenge", ""),
        nonce=ask.query.get("nonce", "")[:200],
        user=user,
        signed_in_at=int(desk.now()),
    )
    return _redirected(wish, {"code": desk.pending.codes.add(flow)})


async def logout(ask: Ask, desk: Desk) -> Reply:
    """There is no session to end: nothing of a sign-in stays in the browser."""
    require_tenant(ask, desk)
    return page("Signed out", paragraph("You have signed out. You can close this window."))


def _wish(ask: Ask, desk: Desk) -> Wish:
    """Who asks, and where the answer goes. Raises SignInRefused: it goes nowhere else."""
    require_tenant(ask, desk)
    client = known_client(ask.query.get("client_id", ""), desk)
    uri = ask.query.get("redirect_uri", "")
    if not may_return_to(client, uri):
        raise refused(50011, uri=uri, client=client.app_id)
    mode = ask.query.get("response_mode", "query")
    state = ask.query.get("state", "")
    if mode not in MODES:
        raise refused(90014, why=f"its response_mode is none of {', '.join(sorted(MODES))}")
    if len(state) > STATE_CHARACTERS_MAX:
        raise refused(90014, why=f"its state is longer than {STATE_CHARACTERS_MAX} characters")
    return Wish(client, uri, mode, state)


def _wanted(ask: Ask, wish: Wish, desk: Desk) -> Wanted:
    if ask.query.get("response_type") != "code":
        raise refused(700054)
    challenge = ask.query.get("code_challenge", "")
    if wish.client.is_public and not challenge:
        raise refused(9002325)
    if challenge and ask.query.get("code_challenge_method") != "S256":
        raise refused(9002325)
    if challenge and not CHALLENGE.fullmatch(challenge):
        raise refused(90014, why="its code_challenge is not the SHA-256 of a verifier in base64url")
    scope = ask.query.get("scope") or f"{ask.query.get('resource', '')}/.default"
    return person_wants(ask, scope, desk)


def _ask_for_password(wish: Wish, name: str, problem: str = "", status: int = 200) -> Reply:
    return page(
        TITLE,
        wrong(problem),
        paragraph(f"to continue to {wish.client.name}"),
        form(
            field("User name", "username", value=name, hint="username"),
            field("Password", "password", kind="password", hint="current-password"),
            button="Sign in",
            other="Cancel",
        ),
        status=status,
        goes_to=_origin(wish.redirect_uri),
    )


def _told(problem: SignInRefused) -> Reply:
    """A refusal that no application is told of: it could be anybody's."""
    return page(TITLE, wrong(problem.message), status=problem.status)


def _sent_back(wish: Wish, problem: SignInRefused) -> Reply:
    return _redirected(wish, {"error": problem.error, "error_description": problem.message})


def _redirected(wish: Wish, told: dict[str, str]) -> Reply:
    if wish.state:
        told = {**told, "state": wish.state}
    if wish.mode == "form_post":
        blocks = [hidden(name, value) for name, value in told.items()]
        return page(
            TITLE,
            form(*blocks, button="Continue", action=wish.redirect_uri),
            goes_to=_origin(wish.redirect_uri),
            posts_itself=True,
        )
    mark = "#" if wish.mode == "fragment" else "&" if "?" in wish.redirect_uri else "?"
    return Reply(
        status=302,
        headers={
            "location": f"{wish.redirect_uri}{mark}{urlencode(told)}",
            "referrer-policy": "no-referrer",
        },
    )


def _origin(uri: str) -> str:
    """Where a form may lead to, for the page's policy."""
    parts = urlsplit(uri)
    if not AUTHORITY.fullmatch(parts.netloc):
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
