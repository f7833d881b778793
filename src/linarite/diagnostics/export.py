"""What one setting sends to one sink: logs and metrics, each from where the sink has come to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec
import structlog

from linarite.diagnostics.metrics import records_of
from linarite.diagnostics.records import of_audit, of_request
from linarite.diagnostics.sinks.sink import USUAL_PAUSE_S, SinkDown
from linarite.domain.audit import AuditQuery, AuditTrail
from linarite.domain.azure_metrics.grains import MINUTE_S, MetricReader
from linarite.domain.diagnostics import (
    ALL_METRICS,
    AUDIT,
    OF_REQUESTS,
    Cursor,
    CursorStore,
    RequestLog,
    categories_of,
)
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from linarite.diagnostics.sinks.sink import Sink
    from linarite.domain.diagnostics import Destination, DiagnosticRecord
    from linarite.domain.resource import Resource

log = structlog.get_logger("linarite.diagnostics")

Source = Literal["requests", "audit", "metrics"]
MINUTE_NS = MINUTE_S * 1_000_000_000
BATCH = 500
MINUTES = 60
"""of metrics, that are read at once"""
LAG_S = 5
"""after a minute has ended, until it is told: what ended with it is counted then"""
PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 60.0
KEEP_AFTER = 5_000
"""positions that pass without a record of the setting's until the cursor is written again"""


class Logs(msgspec.Struct, frozen=True):
    """Where records are read, and how far sinks have come is kept."""

    requests: RequestLog
    trail: AuditTrail
    metrics: MetricReader
    cursors: CursorStore
    tenant: str
    clock: Callable[[], float] = time.time


class Export:
    """One setting and one of its destinations. `start`, then `stop` once."""

    def __init__(
        self,
        setting: Resource,
        account: Resource,
        destination: Destination,
        logs: Logs,
        sink: Sink,
    ) -> None:
        self.setting = setting
        self.destination = destination
        self.trouble = ""
        """why the sink takes nothing at present; "" when it does"""
        self._account = account
        self._logs = logs
        self._sink = sink
        self._categories = categories_of(setting.properties)
        self._cursors: dict[Source, Cursor] = {}
        self._written: dict[Source, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._has_sent = False
        """whether the last look at the logs had the sink take something"""

    @property
    def cursors(self) -> list[Cursor]:
        """How far it is, in either log."""
        return list(self._cursors.values())

    async def start(self, known: dict[str, Cursor]) -> None:
        """Begin where the sink has come to, or with what comes from now on.

        `known` are the cursors that there are, by key.
        """
        for source in sources_of(self._categories):
            key = cursor_key(self.setting, self.destination, source)
            self._cursors[source] = known.get(key) or await self._new_cursor(source, key)
            self._written[source] = self._cursors[source].position
        self._task = asyncio.create_task(self._run(), name=f"export {self.setting.name}")

    async def stop(self) -> None:
        """Leave the rest to the next server."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._sink.close()
        for source, cursor in self._cursors.items():
            if cursor.position != self._written[source]:
                with suppress(LinariteError):
                    await self._logs.cursors.keep(cursor)

    async def _new_cursor(self, source: Source, key: str) -> Cursor:
        """From when the setting was made: a server may have died before it wrote the cursor."""
        made_at, position = made_at_ns(self.setting), 0
        if source == "requests":
            position = await self._logs.requests.position_at(made_at)
        elif source == "metrics":
            position = made_at // MINUTE_NS
        cursor = Cursor(
            key=key, setting_id=self.setting.id, sink=self.destination.sink, position=position
        )
        await self._logs.cursors.keep(cursor)
        return cursor

    async def _run(self) -> None:
        pause_s = PAUSE_FIRST_S
        while True:
            try:
                more = self._has_sent = False
                for source in self._cursors:
                    more = await self._step(source) or more
            except SinkDown as problem:
                self._tell_trouble(str(problem), problem.detail)
            except LinariteError as problem:
                self._tell_trouble(str(problem), str(problem))
            except Exception:
                log.exception("export failed by our own fault", resource=self.setting.id)
                self.trouble = "our own fault; the server's log says more"
            else:
                self._tell_well()
                pause_s = PAUSE_FIRST_S
                if not more:
                    await asyncio.sleep(self._sink.pause_s if self._has_sent else USUAL_PAUSE_S)
                continue
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_MAX_S)

    async def _step(self, source: Source) -> bool:
        """Send the next batch, if there is one; whether there may be more."""
        if source == "requests":
            await self._notice_losses()
            records, position = await self._of_requests(self._cursors[source].position)
        elif source == "audit":
            records, position = await self._of_audit(self._cursors[source].position)
        else:
            records, position = await self._of_metrics(self._cursors[source].position)
        cursor = self._cursors[source]
        if records:
            refused = await self._sink.write(records)
            self._has_sent = True
            cursor = msgspec.structs.replace(
                cursor,
                sent=cursor.sent + len(records) - refused,
                lost=cursor.lost + refused,
                at=datetime.now(UTC).isoformat(),
            )
        await self._moved(source, msgspec.structs.replace(cursor, position=position))
        if source == "metrics":
            return position - cursor.position >= MINUTES
        return len(records) >= BATCH

    async def _of_requests(self, after: int) -> tuple[list[DiagnosticRecord], int]:
        _, newest = await self._logs.requests.ends()
        rows = await self._logs.requests.after(after, BATCH, account_id=self._account.id)
        location = self._account.location or ""
        records = [each for _, row in rows for each in of_request(row, location, self._categories)]
        if len(rows) < BATCH:
            # Nothing else of this account lies before what was the newest when it was asked for.
            return records, max(newest, rows[-1][0] if rows else 0, after)
        return records, rows[-1][0]

    async def _of_audit(self, after: int) -> tuple[list[DiagnosticRecord], int]:
        entries = await self._logs.trail.read(
            AuditQuery(
                under=self._account.id,
                since=iso(made_at_ns(self.setting)),
                after_seq=after,
                limit=BATCH,
            )
        )
        tenant = self._logs.tenant
        records = [of_audit(each, tenant, self._account.id) for each in entries]
        return records, entries[-1].seq if entries else after

    async def _of_metrics(self, first: int) -> tuple[list[DiagnosticRecord], int]:
        """Positions are minutes since 1970: the first that the sink does not have."""
        last = int(self._logs.clock() - LAG_S) // MINUTE_S
        minutes = range(first, max(first, min(last, first + MINUTES)))
        if not minutes:
            return [], first
        records = await records_of(self._logs.metrics, self._account.id, minutes)
        return records, minutes.stop

    async def _notice_losses(self) -> None:
        """Records are removed past their time whether a sink has them or not."""
        cursor = self._cursors["requests"]
        oldest, newest = await self._logs.requests.ends()
        if newest < cursor.position:  # all were removed, and positions begin anew
            self._cursors["requests"] = msgspec.structs.replace(cursor, position=0)
        elif cursor.position and oldest > cursor.position + 1:
            lost = oldest - cursor.position - 1
            log.error(
                "diagnostic records lost: removed past their time before their sink took them",
                destination=self.destination.sink,
                resource=self.setting.id,
                count=lost,
            )
            told = msgspec.structs.replace(cursor, position=oldest - 1, lost=cursor.lost + lost)
            await self._moved("requests", told)

    async def _moved(self, source: Source, cursor: Cursor) -> None:
        before, self._cursors[source] = self._cursors[source], cursor
        passed = cursor.position - self._written[source]
        if cursor.sent != before.sent or cursor.lost != before.lost or passed >= KEEP_AFTER:
            await self._logs.cursors.keep(cursor)
            self._written[source] = cursor.position

    def _tell_trouble(self, why: str, detail: str) -> None:
        if not self.trouble:
            log.warning(
                "sink takes no diagnostic records; they wait in the log",
                destination=self.destination.sink,
                resource=self.setting.id,
                reason=detail,
            )
        self.trouble = why

    def _tell_well(self) -> None:
        if self.trouble:
            log.info("sink takes diagnostic records again", destination=self.destination.sink)
        self.trouble = ""


def sources_of(categories: frozenset[str]) -> list[Source]:
    """What categories are made of."""
    found: list[Source] = []
    if not categories.isdisjoint(OF_REQUESTS):
        found.append("requests")
    if AUDIT in categories:
        found.append("audit")
    if ALL_METRICS in categories:
        found.append("metrics")
    return found


def cursor_key(setting: Resource, destination: Destination, source: Source) -> str:
    """One for each setting as it was made, sink and log."""
    return f"{setting.id.lower()} {made_at_ns(setting)} {destination.sink} {source}"


def made_at_ns(setting: Resource) -> int:
    """When a setting was made."""
    at = datetime.fromisoformat(str(setting.system_data["createdAt"]))
    return round(at.timestamp() * 1_000_000) * 1_000


def iso(at_ns: int) -> str:
    """A time as the audit log writes it."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="microseconds")
