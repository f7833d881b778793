"""Keeps one connection to the store: makes it, says that the server lives, and makes it anew."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.storage.valkey.connection import Connection, StoreError, StoreLost
from linarite.storage.valkey.scripts import BEAT, CORRECT, LEFT, RESERVE, SETTLE, STEP

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.dial import Dialer
    from linarite.storage.valkey.address import ValkeyAddress

    Work = Callable[[Connection], Awaitable[None]]

log = structlog.get_logger("linarite.quota")

CONNECT_S = 2.0
PAUSE_S = 0.25
"""between two attempts"""
LEDGER = Errand(purpose="ledger")


class Keeper:
    """Of one server."""

    def __init__(
        self,
        address: ValkeyAddress,
        password: str,
        dialer: Dialer,
        *,
        ca_file: str | None,
        deadline_s: float,
    ) -> None:
        self._address = address
        self._password = password
        self._dialer = dialer
        self._ca_file = ca_file
        self._deadline_s = deadline_s
        self._turn = 0
        self._task: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self.trouble = "it has not been reached yet"
        """why it is"""

    @property
    def connection(self) -> Connection | None:
        """None while the store is away."""
        connection = self._connection
        return None if connection is None or connection.lost.done() else connection

    async def start(self, greet: Work, beat: Work, beat_s: float) -> None:
        """Connect, and stay so; returns once the first attempt has come to an end.

        `greet` is awaited with each new connection before others use it, `beat` every `beat_s`.
        """
        first = asyncio.Event()
        self._task = asyncio.create_task(self._keep(greet, beat, beat_s, first))
        await first.wait()

    def give_up(self, connection: Connection, problem: Exception) -> None:
        """It answers, but does not do what it must; another attempt finds out more."""
        self._note(problem)
        connection.close()

    async def stop(self) -> None:
        """Let go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._connection is not None:
            self._connection.close()

    async def _keep(self, greet: Work, beat: Work, beat_s: float, first: asyncio.Event) -> None:
        while True:
            connection = None
            try:
                async with asyncio.timeout(CONNECT_S):
                    connection = await self._connect()
                    await greet(connection)
                self._connection = connection
                self.trouble = "too many requests wait for it, or the connection has just broken"
                log.info("the quota's ledger is there")
                first.set()
                await self._stay(connection, beat, beat_s)
            except (OSError, EgressRefused, StoreError, StoreLost) as problem:
                self._note(problem)
            except (LookupError, TypeError, ValueError):
                self._note(StoreError("it does not answer as Valkey or Redis does"))
            finally:
                self._connection = None
                if connection is not None:
                    connection.close()
            first.set()
            self._turn += 1
            await asyncio.sleep(PAUSE_S)

    async def _stay(self, connection: Connection, beat: Work, beat_s: float) -> None:
        while not connection.lost.done():
            await asyncio.wait([connection.lost], timeout=beat_s)
            if not connection.lost.done():
                await beat(connection)

    async def _connect(self) -> Connection:
        address = self._address
        host, port = address.places[self._turn % len(address.places)]
        connection = await self._dialer.dial(
            host,
            port,
            errand=LEDGER,
            tls=address.tls,
            factory=lambda: Connection(self._deadline_s),
            ca_file=self._ca_file,
        )
        try:
            await self._introduce(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _introduce(self, connection: Connection) -> None:
        """Show the password, and find out whether this one may be written to."""
        hello: list[str | int] = ["HELLO", 2]
        if self._password:
            hello += ["AUTH", self._address.user or "default", self._password]
        told = await connection.ask(*hello)
        facts = dict(zip(told[::2], told[1::2], strict=True))
        if facts.get(b"role") != b"master":
            raise StoreError("it is a replica, which takes no writes")
        if self._address.number:
            await connection.ask("SELECT", self._address.number)
        for script in (RESERVE, SETTLE, CORRECT, LEFT, BEAT, STEP):
            await connection.ask("SCRIPT", "LOAD", script.text)

    def _note(self, problem: Exception) -> None:
        if isinstance(problem, TimeoutError):
            why = "it does not answer in time"
        elif isinstance(problem, StoreLost):
            why = "the connection broke off, or it does not answer in time"
        else:
            why = str(problem) or type(problem).__name__
        if why != self.trouble:
            log.warning("the quota's ledger is away", why=why)
        self.trouble = why
