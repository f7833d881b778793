"""Refresh tokens: one use each; reuse ends the family, a lost answer does not."""

from __future__ import annotations

import hmac

import pytest

from linarite.signin.grants.sessions import DAY_S, GRACE_S, SESSION_TYPE, Sessions
from linarite.signin.refusals import SignInRefused
from linarite.storage.memory.resources import MemoryResourceStore


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def digest(text: str) -> bytes:
    """The pepper's."""
    return hmac.digest(b"pepper", text.encode(), "sha256")


async def opened(resources: MemoryResourceStore, clock: Clock) -> Sessions:
    """Sessions over what is stored."""
    sessions = Sessions(resources, digest, clock, refresh_days=90)
    await sessions.open()
    return sessions


async def refusal_of(sessions: Sessions, token: str, client: str = "app") -> int:
    """The number of the refusal."""
    with pytest.raises(SignInRefused) as refusal:
        await sessions.renew(token, client)
    return refusal.value.number


@pytest.mark.anyio
async def test_a_lost_answer_may_be_asked_for_again_for_a_while() -> None:
    """The token before the latest is taken for half a minute, then it ends the family."""
    clock = Clock()
    sessions = await opened(MemoryResourceStore(), clock)
    first = await sessions.begin(sessions.first("app", "ada", "s", 1))
    second, _ = await sessions.renew(first, "app")
    again, _ = await sessions.renew(first, "app")
    assert again == second
    clock.now += GRACE_S + 1
    assert await refusal_of(sessions, first) == 70043
    assert await refusal_of(sessions, second) == 70008


@pytest.mark.anyio
async def test_sessions_outlive_the_process_until_nobody_uses_them() -> None:
    """Nothing of a token is stored; after ninety days without use the family is gone."""
    resources, clock = MemoryResourceStore(), Clock()
    sessions = await opened(resources, clock)
    token = await sessions.begin(sessions.first("app", "ada", "s", 1))
    (kept,) = await resources.list_under("", SESSION_TYPE)
    assert token.rpartition(".")[2] not in str(kept.properties)
    token, session = await (await opened(resources, clock)).renew(token, "app")
    assert session.object_id == "ada"
    clock.now += 91 * DAY_S
    assert await refusal_of(await opened(resources, clock), token) == 70008
    assert await resources.list_under("", SESSION_TYPE) == []


@pytest.mark.anyio
async def test_forged_and_foreign_tokens_end_nothing() -> None:
    """Another client's, one whose number was changed, nonsense."""
    sessions = await opened(MemoryResourceStore(), Clock())
    token = await sessions.begin(sessions.first("app", "ada", "s", 1))
    assert await refusal_of(sessions, token, "another") == 700082
    head, name, number, signature = token.split(".")
    for forged in (f"{head}.{name}.{int(number) + 1}.{signature}", "", "x", "1.2.3.4", "🦆" * 400):
        assert await refusal_of(sessions, forged) == 9002313
    await sessions.renew(token, "app")
