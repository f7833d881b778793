"""`/{tenant}/oauth2/v2.0/devicecode` and the page where the code is typed, `/devicelogin`.

Source: RFC 8628; learn.microsoft.com, "OAuth 2.0 device authorization grant".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.signin.clients import known_client
from linarite.signin.grants.pending import DEVICE_S
from linarite.signin.grants.people import person_wants
from linarite.signin.guarding import CODE, Attempt, place_of
from linarite.signin.pages.html import field, form, hidden, page, paragraph, wrong
from linarite.signin.pages.origin import is_from_elsewhere
from linarite.signin.proofs.password import signed_in
from linarite.signin.refusals import SignInRefused, refused
from linarite.signin.request import Reply
from linarite.signin.tenants import require_tenant

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.grants.pending import DeviceFlow
    from linarite.signin.request import Ask

TITLE = "Sign in on another device"
INTERVAL_S = 5
BEGUN, BEGUN_FREE = "device begun", 1_000
"""sign-ins that devices of one address begin before they wait; there is place for ten times that"""
PATH = "/devicelogin"


async def begin(ask: Ask, desk: Desk) -> Reply:
    """The device asks for a pair of codes. A web page is none: it would use up those of others."""
    if is_from_elsewhere(ask):
        raise refused(90014, why="it came from a web page of another site")
    require_tenant(ask, desk)
    client = known_client(ask["client_id"], desk)
    if not client.is_public and not client.has_secrets:
        raise refused(7000218)
    if not ask["scope"] and not ask["resource"]:
        raise refused(900144, parameter="scope")
    wanted = person_wants(ask, ask["scope"] or f"{ask['resource']}/.default", desk)
    place = place_of(ask.address)
    _require_few(place, desk)
    code, flow = desk.pending.begin_device(client.app_id, client.name, wanted, place)
    where = f"{ask.base_url}{PATH}"
    return Reply(
        body={
            "user_code": flow.user_code,
            "device_code": code,
            "verification_uri": where,
            "verification_url": where,
            "expires_in": DEVICE_S,
            "interval": INTERVAL_S,
            "message": f"To sign in, use a web browser to open the page {where} and enter the "
            f"code {flow.user_code} to authenticate.",
        }
    )


def _require_few(place: str, desk: Desk) -> None:
    """Let no device begin so often that the codes of others have no place any more.

    A sign-in that is carried through forgets what was begun before it. Raises SignInRefused.
    """
    wait_s = desk.throttle.wait_s(BEGUN, place, BEGUN_FREE)
    if wait_s > 0:
        raise refused(90055, wait_s=str(math.ceil(wait_s)))
    desk.throttle.failed(BEGUN, place)


async def show(ask: Ask, desk: Desk) -> Reply:
    """The page asks for the code."""
    del desk
    return _ask_for_code(ask.query.get("otc", ""))


async def answer(ask: Ask, desk: Desk) -> Reply:
    """The code was typed, then name and password."""
    if is_from_elsewhere(ask):
        return _ask_for_code("", "This form came from another site. Type the code here.", 400)
    try:
        attempt = Attempt(desk.throttle, CODE, "", ask.address)
        attempt.require_turn()
    except SignInRefused as problem:
        return _ask_for_code("", problem.message, problem.status)
    flow = desk.pending.device_by_user_code(ask["code"])
    if flow is None:
        attempt.failed()
        return _ask_for_code("", "That code is not right, or its time is over.", 400)
    return await _decided(flow, ask, desk)


async def _decided(flow: DeviceFlow, ask: Ask, desk: Desk) -> Reply:
    """The code is right; what the person does with it."""
    if ask["cancel"]:
        flow.refused = True
        return page(TITLE, paragraph("Nothing was signed in. You can close this window."))
    if not ask["username"]:
        return _ask_for_password(flow, "")
    try:
        user = await signed_in(ask, flow.client_id, desk)
    except SignInRefused as problem:
        return _ask_for_password(flow, ask["username"], problem.message, problem.status)
    flow.user = user
    desk.throttle.succeeded(BEGUN, flow.begun_from)
    return page(
        TITLE,
        paragraph(f"You have signed in to {flow.client_name} on your device."),
        paragraph("You can close this window."),
    )


def _ask_for_code(code: str, problem: str = "", status: int = 200) -> Reply:
    return page(
        TITLE,
        wrong(problem),
        paragraph("Enter the code that your application or device shows."),
        form(field("Code", "code", value=code[:20]), button="Next", action=PATH),
        status=status,
    )


def _ask_for_password(flow: DeviceFlow, name: str, problem: str = "", status: int = 200) -> Reply:
    return page(
        TITLE,
        wrong(problem),
        paragraph(
            f"Are you trying to sign in to {flow.client_name}? Go on only if you started this "
            "yourself, on a device that you trust: whoever shows you a code gets your access."
        ),
        form(
            hidden("code", flow.user_code),
            field("User name", "username", value=name, hint="username"),
            field("Password", "password", kind="password", hint="current-password"),
            button="Sign in",
            other="Cancel",
            action=PATH,
        ),
        status=status,
    )
