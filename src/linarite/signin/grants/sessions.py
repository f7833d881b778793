"""Refresh tokens: families of them, each member good for one use.

A refresh token names its family and its number in it, signed under the server's pepper. Only the
latest number is taken (and, for half a minute, the one before: answers get lost, and two processes
may share a cache). An older one proves that somebody has a copy: the family ends.

Source: RFC 9700, 4.14; learn.microsoft.com, "Refresh tokens in the Microsoft identity platform".
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.resource import Delete, Put, Resource
from linarite.signin.directory.records import NAMESPACE
from linarite.signin.directory.writing import new_id
from linarite.signin.refusals import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.resource import ResourceStore

SESSION_TYPE = f"{NAMESPACE}/sessions"
SESSIONS_MAX = 20_000
GRACE_S = 30
DAY_S = 86_400
TOKEN_CHARACTERS_MAX = 300


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """A family of refresh tokens, as it is kept: none of its tokens."""

    client_id: str
    object_id: str
    """of the person"""
    signed_in_at: int
    number: int
    """of the latest token"""
    renewed_at: int
    scope: str = ""
    """what was asked for at the beginning"""


class Sessions:
    """The families. `open` first."""

    def __init__(
        self,
        resources: ResourceStore,
        digest: Callable[[str], bytes],
        now: Callable[[], float],
        refresh_days: int,
    ) -> None:
        """`digest` is an HMAC under the server's pepper."""
        self._resources = resources
        self._digest = digest
        self._now = now
        self._seconds = refresh_days * DAY_S
        self._sessions: dict[str, Session] = {}
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Read them all; those that are over are removed."""
        for resource in await self._resources.list_under("", SESSION_TYPE):
            self._sessions[resource.name] = msgspec.convert(resource.properties, Session)
        over = [name for name, each in self._sessions.items() if self._is_over(each)]
        if over:
            await self._end(over)

    async def begin(self, session: Session) -> str:
        """The first refresh token of a family."""
        name = new_id()
        async with self._turn:
            await self._keep(name, session)
            if len(self._sessions) > SESSIONS_MAX:
                oldest = min(self._sessions, key=lambda each: self._sessions[each].renewed_at)
                await self._end([oldest])
        return self._token(name, session.number)

    async def renew(self, token: str, client_id: str) -> tuple[str, Session]:
        """The next refresh token for this one. Raises SignInRefused; reuse ends the family."""
        name, number = self._read(token)
        async with self._turn:
            session = self._sessions.get(name)
            if session is None or self._is_over(session):
                raise refused(70008)
            if session.client_id != client_id:
                raise refused(700082)
            moment = int(self._now())
            lately = moment - session.renewed_at <= GRACE_S
            if number == session.number:
                session = msgspec.structs.replace(session, number=number + 1, renewed_at=moment)
                await self._keep(name, session)
            elif number != session.number - 1 or not lately:
                await self._end([name])
                raise refused(70043)
            return self._token(name, session.number), session

    def first(self, client_id: str, object_id: str, scope: str, signed_in_at: int) -> Session:
        """A family that begins now."""
        return Session(client_id, object_id, signed_in_at, 1, int(self._now()), scope)

    async def _keep(self, name: str, session: Session) -> None:
        properties: dict[str, Any] = msgspec.to_builtins(session)
        await self._resources.commit(
            [Put(Resource(id=_id(name), type=SESSION_TYPE, name=name, properties=properties))]
        )
        self._sessions[name] = session

    async def _end(self, names: list[str]) -> None:
        await self._resources.commit([Delete(_id(name)) for name in names])
        for name in names:
            self._sessions.pop(name, None)

    def _is_over(self, session: Session) -> bool:
        return self._now() - session.renewed_at > self._seconds

    def _token(self, name: str, number: int) -> str:
        told = f"1.{name}.{number}"
        return f"{told}.{self._digest(f'refresh token {told}').hex()}"

    def _read(self, token: str) -> tuple[str, int]:
        told, _, signature = token[:TOKEN_CHARACTERS_MAX].rpartition(".")
        made = self._digest(f"refresh token {told}").hex()
        if not hmac.compare_digest(made.encode(), signature.encode("utf-8", "replace")):
            raise refused(9002313)
        _, name, number = told.split(".")
        return name, int(number)


def _id(name: str) -> str:
    return f"/providers/{SESSION_TYPE}/{name}"
