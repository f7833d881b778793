"""A person proves to be themselves, by name and password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.sign_in import SignInEvent
from linarite.signin.guarding import USER, Attempt
from linarite.signin.refusals import SignInRefused, refused

if TYPE_CHECKING:
    from linarite.signin.desk import Desk
    from linarite.signin.directory.records import User
    from linarite.signin.request import Ask

WAITING_MAX = 20
"""sign-ins whose password waits to be hashed; more are sent away"""


async def signed_in(ask: Ask, client_id: str, desk: Desk) -> User:
    """The person whose name and password a form holds. Raises SignInRefused.

    Whether the name or the password was wrong is not told, nor does the time tell it.
    """
    name = ask["username"].strip()[:200]
    try:
        user = await _proved(name, ask["password"], ask.address, desk)
    except SignInRefused as problem:
        await desk.tell(
            ask,
            SignInEvent(at=0, how="password", client_id=client_id, name=name, code=problem.number),
        )
        raise
    await desk.tell(
        ask,
        SignInEvent(
            at=0, how="password", client_id=client_id, object_id=user.object_id, name=user.upn
        ),
    )
    return user


async def _proved(name: str, password: str, address: str, desk: Desk) -> User:
    attempt = Attempt(desk.throttle, USER, name, address)
    attempt.require_turn()
    if desk.passwords.waiting >= WAITING_MAX:
        raise refused(90055, wait_s="2")
    user = desk.book.user(name)
    if not await desk.passwords.matches(user.password if user else "", password) or user is None:
        attempt.failed()
        raise refused(50126)
    if not user.enabled:
        raise refused(50057)
    attempt.succeeded()
    return user
