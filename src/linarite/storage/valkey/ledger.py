"""The ledger of many servers: every reservation is one round trip to a script in the store."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from linarite.domain.ledger import DoesNotFit, Refused, Reservation
from linarite.domain.quota_errors import LedgerUnavailable
from linarite.storage.valkey.connection import StoreError, StoreLost
from linarite.storage.valkey.ledger_clock import LedgerClock
from linarite.storage.valkey.scripts import (
    BEAT,
    CLOCK,
    CORRECT,
    LEFT,
    PREFIX,
    RESERVE,
    SERVERS,
    SETTLE,
    STEP,
    key_of,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.ledger import Bucket, Charge, Ledger
    from linarite.storage.valkey.connection import Connection
    from linarite.storage.valkey.keeper import Keeper
    from linarite.storage.valkey.scripts import Script

log = structlog.get_logger("linarite.quota")

BELIEVED_S = 6.0
"""places of a server that has not been heard of for so long are free again"""
BEAT_S = 1.5
UNSETTLED_MAX = 100_000
"""settlements kept while the store is away; what is dropped stays charged"""
FLUSH_S = 2.0
TOLERANCE_S = 0.2
"""what comes so much later than it was sent is still done; less than a new connection takes"""
TRIES = 3


class Shared(Reservation):
    """One that the store keeps a record of."""

    __slots__ = ("record",)

    def __init__(self, charges: Sequence[Charge], left: Sequence[int], record: str) -> None:
        self.charges = charges
        self.left = left
        self.record = record


class Apart(Reservation):
    """One that was made while the store was away, in this server's own ledger."""

    __slots__ = ("own",)

    def __init__(self, own: Reservation) -> None:
        self.charges = own.charges
        self.left = own.left
        self.own = own


class ValkeyLedger:
    """See Ledger."""

    def __init__(self, keeper: Keeper, deadline_s: float, apart: Ledger | None = None) -> None:
        """`apart` counts while the store is away; without it requests are refused then."""
        self._keeper = keeper
        self._tolerance_ms = round(max(deadline_s, TOLERANCE_S) * 1000)
        self._apart = apart
        self._clock = LedgerClock()
        self._numbers = itertools.count()
        self._server = secrets.token_hex(8)
        self._naming = asyncio.Lock()
        self._careful: set[asyncio.Task[None]] = set()
        self._unsettled: dict[str, tuple[list[str], list[int]]] = {}

    async def open(self) -> None:
        """Connect in the background: a store that is away keeps no server from starting."""
        await self._keeper.start(self._greet, self._beat, BEAT_S)

    def reserve_now(self, charges: Sequence[Charge]) -> Reservation | None:
        """See Ledger. Only while the store is away."""
        if self._apart is None or self._keeper.connection is not None:
            return None
        own = self._apart.reserve_now(charges)
        return None if own is None else Apart(own)

    async def reserve(self, charges: Sequence[Charge]) -> Reservation:
        """See Ledger."""
        connection = self._keeper.connection
        if connection is not None and not connection.full:
            try:
                return await self._reserve(connection, charges)
            except StoreError as problem:
                self._keeper.give_up(connection, problem)
            except StoreLost:
                pass
        if self._apart is None:
            raise LedgerUnavailable(self._keeper.trouble)
        return Apart(await self._apart.reserve(charges))

    def settle(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        if isinstance(reservation, Apart):
            assert self._apart is not None  # noqa: S101 - it made it
            self._apart.settle(reservation.own, amounts)
            return
        assert isinstance(reservation, Shared)  # noqa: S101 - made above
        self._settle(reservation.record, reservation.charges, list(amounts))

    async def correct(self, reservation: Reservation, amounts: Sequence[int]) -> None:
        """See Ledger."""
        if isinstance(reservation, Apart):
            assert self._apart is not None  # noqa: S101 - it made it
            await self._apart.correct(reservation.own, amounts)
            return
        assert isinstance(reservation, Shared)  # noqa: S101 - made above
        connection = self._keeper.connection
        if connection is None:
            return
        keys = _keys_of(reservation.record, reservation.charges)
        with suppress(StoreLost, StoreError):
            await self._ask(CORRECT, connection, keys, list(amounts))

    async def left(self, buckets: Sequence[Bucket]) -> list[int]:
        """See Ledger."""
        connection = self._keeper.connection
        if connection is None:
            raise LedgerUnavailable(self._keeper.trouble)
        keys = [CLOCK, SERVERS, *(key_of(bucket.key) for bucket in buckets)]
        arguments: list[str | int] = [each for bucket in buckets for each in told(bucket)]
        try:
            return (await self._ask(LEFT, connection, keys, arguments))[3:]
        except (StoreLost, StoreError):
            raise LedgerUnavailable(self._keeper.trouble) from None

    async def close(self) -> None:
        """See Ledger. Its places are free at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                # Until all is answered; whoever settles never waits, so nobody tells.
                while self._unsettled and self._keeper.connection is not None:  # noqa: ASYNC110 - nothing tells when it is settled
                    await asyncio.sleep(0.005)
        connection = self._keeper.connection
        if connection is not None:
            with suppress(StoreLost, StoreError):
                await connection.ask("HDEL", SERVERS, self._server)
        await self._keeper.stop()
        if self._apart is not None:
            await self._apart.close()

    async def _reserve(self, connection: Connection, charges: Sequence[Charge]) -> Reservation:
        """Raises DoesNotFit; StoreLost and StoreError, and then nothing stays charged."""
        record = f"{PREFIX}r:{self._server}:{next(self._numbers)}"
        keys = _keys_of(record, charges)
        what: list[str | int] = [
            each for charge in charges for each in (*told(charge.bucket), charge.amount)
        ]
        try:
            for _ in range(TRIES):
                reply = await self._ask(RESERVE, connection, keys, [self._server, *what])
                if reply[0] != b"unheard":
                    return _answered(charges, reply, record)
                await self._greet(connection)
        except (StoreLost, StoreError, asyncio.CancelledError):
            # It may be charged all the same, or be about to.
            self._settle(record, charges, [0] * len(charges))
            raise
        raise StoreError("it does not hear of this server")

    async def _ask(
        self, script: Script, connection: Connection, keys: list[str], what: list[str | int]
    ) -> list[Any]:
        """What a script answers at the ledger's time. Raises StoreLost, StoreError."""
        for _ in range(TRIES):
            generation, began = self._clock.generation, time.monotonic()
            reply = await script.run(connection, keys, [*self._told_time(), *what])
            if reply[0] != b"astray":
                self._clock.hear(reply[1], reply[2], time.monotonic() - began)
                return reply
            await self._follow_clock(connection, reply, generation)
        raise StoreError("its clock does not come to rest")

    async def _follow_clock(
        self, connection: Connection, reply: list[Any], generation: int
    ) -> None:
        """A clock was set: the store's, as this server sees first, or as another one has seen."""
        if reply[2] == generation:
            expected = self._clock.expected()
            what: list[str | int] = [-1, 0, 0, expected, generation]
            reply = await STEP.run(connection, [CLOCK, SERVERS], what)
            log.warning("the clock of the quota's ledger was set", by_ms=reply[1] - expected)
        self._clock.hear(reply[1], reply[2], 0.0)

    def _told_time(self) -> tuple[int, int, int]:
        return self._clock.expected(), self._clock.generation, self._tolerance_ms

    async def _greet(self, connection: Connection) -> None:
        """Be known, under a new name where the store has given up the old one and its places.

        Settles what could not be settled before. Raises StoreLost, StoreError.
        """
        async with self._naming:
            if not await self._heard(connection, new=False):
                self._server = secrets.token_hex(8)
                await self._heard(connection, new=True)
        for record in list(self._unsettled):
            self._send_settlement(connection, record)

    async def _beat(self, connection: Connection) -> None:
        """Say that this server lives. Raises StoreLost, StoreError."""
        if not await self._heard(connection, new=False):
            await self._greet(connection)

    async def _heard(self, connection: Connection, *, new: bool) -> bool:
        """Whether the store knows this server, or has heard of it for the first time."""
        what: list[str | int] = [self._server, round(BELIEVED_S * 1000), int(new)]
        return (await self._ask(BEAT, connection, [CLOCK, SERVERS], what))[0] == b"heard"

    def _settle(self, record: str, charges: Sequence[Charge], amounts: list[int]) -> None:
        if len(self._unsettled) >= UNSETTLED_MAX:
            del self._unsettled[next(iter(self._unsettled))]
        self._unsettled[record] = _keys_of(record, charges), amounts
        if self._keeper.connection is not None:
            self._send_settlement(self._keeper.connection, record)

    def _send_settlement(self, connection: Connection, record: str) -> None:
        """Sent anew with every connection until it is answered: the store does it once."""
        keys, amounts = self._unsettled[record]

        def settled(reply: asyncio.Future[list[Any]]) -> None:
            if reply.exception() is None and reply.result()[0] != b"astray":
                self._unsettled.pop(record, None)
            elif not connection.lost.done():
                task = asyncio.create_task(self._settle_with_care(connection, record))
                self._careful.add(task)
                task.add_done_callback(self._careful.discard)

        asked = SETTLE.ask(connection, keys, [*self._told_time(), *amounts])
        asked.add_done_callback(settled)

    async def _settle_with_care(self, connection: Connection, record: str) -> None:
        """The store has forgotten the script, or its clock was set."""
        if record not in self._unsettled:
            return
        keys, amounts = self._unsettled[record]
        with suppress(StoreLost, StoreError):
            await self._ask(SETTLE, connection, keys, [*amounts])
            self._unsettled.pop(record, None)


def _keys_of(record: str, charges: Sequence[Charge]) -> list[str]:
    return [CLOCK, SERVERS, record, *(key_of(charge.bucket.key) for charge in charges)]


def _answered(charges: Sequence[Charge], reply: list[Any], record: str) -> Reservation:
    if reply[0] == b"reserved":
        return Shared(charges, reply[3:], record)
    index, wait_ms, left = int(reply[3]), int(reply[4]), [int(each) for each in reply[5:]]
    charge = charges[index - 1]
    wait_s = math.inf if wait_ms < 0 else wait_ms / 1000
    refused = Refused(charge.bucket, charge.amount, max(0, left[index - 1]), wait_s)
    raise DoesNotFit(refused, left)
