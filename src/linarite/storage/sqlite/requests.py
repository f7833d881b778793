"""Request records in `requests.db`: a queue in front, one thread that writes, one that tidies.

A file of its own, so that its load never keeps resources or keys waiting. `synchronous = NORMAL`
and a write at least every 100 ms: a power cut may lose what came since the last checkpoint
(seconds). A killed process loses no usage: until a record is written, the usage journal has it.
See docs/storage.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import func, select

from linarite.domain.request_record import RequestRecord
from linarite.domain.usage_journal import recovered
from linarite.storage.migrate import REQUESTS_HISTORY
from linarite.storage.resource_id import id_key
from linarite.storage.retention import Retention
from linarite.storage.sqlite.connections import sqlite_engine, told_as_unavailable
from linarite.storage.sqlite.held_requests import held_in
from linarite.storage.sqlite.provisioned_hours import SqliteProvisionedHours
from linarite.storage.sqlite.request_tidier import RequestTidier
from linarite.storage.sqlite.request_writer import Marker, RequestWriter, add_now
from linarite.storage.sqlite.usage import usage_in
from linarite.storage.sqlite_file import prepare, private_folder, setup_error
from linarite.storage.tables.requests import request_records
from linarite.storage.usage_journal import FileUsageJournal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.held_data import Held
    from linarite.domain.usage import Usage
    from linarite.domain.usage_journal import BegunRequest
    from linarite.domain.usage_report import UsageQuestion, UsageSum

REQUESTS_FILE = "requests.db"
READ_WAIT_S = 1.0
"""How long a question waits for what is still in memory to be written."""
CLOSE_WAIT_S = 10.0
"""How long `close` waits for a disk that refuses before it gives up, and says so."""

log = structlog.get_logger(__name__)

COLUMNS = [request_records.c[name] for name in RequestRecord.__struct_fields__]
"""of a record, in the order of its fields: by name each would cost twice as much"""


def open_request_ledger(
    folder: Path,
    *,
    retention: Retention | None = None,
    backlog_max: int = 100_000,
    cost_of: Callable[[BegunRequest, Usage], int] = lambda _request, _usage: 0,
) -> SqliteRequestLedger:
    """Make or migrate `requests.db` in the folder, and start writing.

    Requests that a killed process was answering are made into records, and cost what `cost_of`
    says. `backlog_max` records at most wait in memory while the disk refuses; further ones are
    dropped and counted. Open the folder's `Database` first: it holds the lock. Raises SetupError.
    """
    private_folder(folder)
    path = folder / REQUESTS_FILE
    prepare(path, REQUESTS_HISTORY)
    journal = FileUsageJournal(folder)
    recover(path, journal, cost_of)
    return SqliteRequestLedger(path, journal, retention or Retention(), backlog_max)


def recover(
    path: Path, journal: FileUsageJournal, cost_of: Callable[[BegunRequest, Usage], int]
) -> None:
    """Keep what the journal has of an earlier process, then let it begin anew.

    Whoever dies in between does it once more: a request that has a record gets no other.
    Raises SetupError.
    """
    records = [
        recovered(
            each.request,
            each.usage,
            finished=each.finished,
            cost_nano=cost_of(each.request, each.usage),
        )
        for each in journal.left_over
    ]
    if records:
        try:
            added = add_now(path, records)
        except sqlite3.Error as error:
            raise setup_error(path, error) from error
        log.warning("requests of a killed server recorded", count=added)
    journal.start()


class SqliteRequestLedger:
    """`RequestLedger` on a file. `add` from the event loop's thread; the rest is async."""

    def __init__(
        self, path: Path, journal: FileUsageJournal, retention: Retention, backlog_max: int
    ) -> None:
        self.journal = journal
        """where requests are noted while they are answered"""
        self._path = path
        self._engine = sqlite_engine(path, busy_timeout_s=5.0, pragmas=())
        self._backlog_max = backlog_max
        self._retention = retention
        self._tidier = RequestTidier(path, retention)
        self._writer = RequestWriter(path, self._tidier.written, journal.kept)
        self._queue = self._writer.queue
        self._wake = self._writer.wake
        self._closing: asyncio.Task[None] | None = None
        self._writer.start()
        self._tidier.start()

    def add(self, record: RequestRecord) -> None:
        """Take a record; it is on disk within 200 ms. Costs a fraction of a microsecond."""
        if len(self._queue) >= self._backlog_max:
            self._writer.refused += 1
            return
        self._queue.append(record)
        if not self._wake.is_set():
            self._wake.set()

    @property
    def backlog(self) -> int:
        """Records in memory that are not yet on disk."""
        return self._writer.backlog

    @property
    def dropped(self) -> int:
        """Records lost since the start: the backlog was full, or SQLite would not have them."""
        return self._writer.dropped

    async def flush(self) -> None:
        """Return once everything added so far is on disk."""
        if self._closing is not None:
            await asyncio.shield(self._closing)
            return
        marker = Marker(asyncio.get_running_loop())
        self._queue.append(marker)
        self._writer.hurry()
        await marker.passed

    async def latest(self, limit: int, *, account: str = "") -> list[RequestRecord]:
        """The newest records first, of one account or of all."""
        query = select(*COLUMNS).order_by(request_records.c.seq.desc()).limit(max(limit, 0))
        if account:
            query = query.where(request_records.c.account == account)
        return await self._ask(query)

    async def find(self, request_id: str) -> RequestRecord | None:
        """The record of one `apim-request-id`."""
        query = (
            select(*COLUMNS)
            .where(request_records.c.request_id == request_id)
            .order_by(request_records.c.seq.desc())
            .limit(1)
        )
        found = await self._ask(query)
        return found[0] if found else None

    async def after(
        self, position: int, limit: int, *, account_id: str
    ) -> list[tuple[int, RequestRecord]]:
        """The oldest first, each with its position, of one account; of what is on disk."""
        columns = request_records.c
        query = (
            select(columns.seq, *COLUMNS)
            .where(columns.seq > position, func.lower(columns.account_id) == id_key(account_id))
            .order_by(columns.seq)
            .limit(limit)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        return [(position, RequestRecord(*values)) for position, *values in rows]

    async def held(self, account_id: str) -> list[Held]:
        """See HoldsData: of an account the records of single requests, and the sums by the day."""
        await self._written()
        async with self._reading() as connection:
            return await held_in(connection, account_id, self._retention)

    async def position_at(self, at_ns: int) -> int:
        """Where the records begin that are younger than a time."""
        columns = request_records.c
        older = (
            select(columns.seq)
            .where(columns.started_at_ns < at_ns)
            .order_by(columns.seq.desc())
            .limit(1)
        )
        async with self._reading() as connection:
            return await connection.scalar(older) or 0

    async def ends(self) -> tuple[int, int]:
        """The positions of the oldest and the newest record."""
        seq = request_records.c.seq
        async with self._reading() as connection:
            oldest = await connection.scalar(select(func.min(seq)))
            newest = await connection.scalar(select(func.max(seq)))
        return oldest or 0, newest or 0

    async def usage(self, question: UsageQuestion) -> list[UsageSum]:
        """See UsageBook."""
        await self._written()
        async with self._reading() as connection:
            return await usage_in(connection, question)

    @property
    def provisioned_hours(self) -> SqliteProvisionedHours:
        """What else is paid for, in the same file."""
        return SqliteProvisionedHours(self._path)

    async def close(self) -> None:
        """Write what is left and let go of the file; closing again does nothing."""
        if self._closing is None:
            self._backlog_max = 0
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await asyncio.to_thread(self._writer.stop, CLOSE_WAIT_S)
        await asyncio.to_thread(self._tidier.stop)
        await self._engine.dispose()
        self.journal.close()

    async def _ask(self, query: Select[Any]) -> list[RequestRecord]:
        await self._written()
        async with self._reading() as connection:
            rows = (await connection.execute(query)).all()
        return [RequestRecord(*row) for row in rows]

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[AsyncConnection]:
        """Raises ServiceUnavailable when the file can't be read."""
        with told_as_unavailable(self._path):
            async with self._engine.connect() as connection:
                yield connection

    async def _written(self) -> None:
        # So that a caller finds the record of an answer it has just had; but a full disk must
        # not take the answers that can still be given.
        with suppress(TimeoutError):
            async with asyncio.timeout(READ_WAIT_S):
                await self.flush()
