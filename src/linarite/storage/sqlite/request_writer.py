"""The thread that writes request records, in batches, whatever the disk says.

Rows go in by statements of many rows. The driver lets go of Python's lock at each step of a
statement and has to win it back from a busy event loop: measured beside one that is saturated,
`executemany` took 1,280 µs a row, statements of 100 rows 9 µs.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import msgspec
import structlog
from sqlalchemy import insert
from sqlalchemy.dialects import sqlite

from linarite.storage.tables.requests import request_records

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from linarite.domain.request_record import RequestRecord

GATHER_S = 0.03
"""How long the first record of a batch waits for others. With the writing: under 100 ms."""
BATCH_ROWS = 2_048
"""Rows to a transaction: some 20 ms of work."""
STATEMENT_ROWS = (64, 16, 4, 1)
"""A batch is cut into statements of these sizes; a fixed few, so that they stay prepared.

One of 256 rows is no faster, and takes SQLite 2 MB instead of 0.3.
"""
BUSY_WAIT_S = 1.0
RETRY_FIRST_S = 0.1
RETRY_LAST_S = 5.0
COMPLAIN_EVERY_S = 30.0

log = structlog.get_logger(__name__)


class Marker:
    """Goes through the queue behind records; when it is met, they are on disk."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.passed: asyncio.Future[None] = loop.create_future()

    def meet(self) -> None:
        """Tell whoever waits; called from the writer's thread."""
        with suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if not self.passed.done():
            self.passed.set_result(None)


class RequestWriter(threading.Thread):
    """Moves records from `queue` to the file. Set `wake` after adding to an idle queue."""

    def __init__(
        self,
        path: Path,
        on_written: Callable[[], None],
        on_kept: Callable[[Iterable[str]], None],
    ) -> None:
        """`on_kept` is told the ids of requests whose records are committed."""
        super().__init__(name="request-writer", daemon=True)
        self.queue: deque[RequestRecord | Marker] = deque()
        self.wake = threading.Event()
        self.in_hand = 0
        """records taken from the queue and not yet on disk"""
        self.refused = 0
        """records that found the queue full; whoever fills the queue counts them"""
        self.unwritable = 0
        """records given up: their values do not fit a column, or `stop` ran out of time"""
        self._path = path
        self._on_written = on_written
        self._on_kept = on_kept
        self._connection: sqlite3.Connection | None = None
        self._hurry = threading.Event()
        self._stopping = threading.Event()
        self._give_up_at: float | None = None
        self._complained_at = -COMPLAIN_EVERY_S

    @property
    def backlog(self) -> int:
        """Records that are not yet on disk."""
        return len(self.queue) + self.in_hand

    @property
    def dropped(self) -> int:
        """Records lost since the start."""
        return self.refused + self.unwritable

    def hurry(self) -> None:
        """Write now instead of gathering."""
        self._hurry.set()
        self.wake.set()

    def stop(self, wait_s: float) -> None:
        """Write what is queued, for at most `wait_s`; then end. Blocks: call from a thread."""
        self._give_up_at = time.monotonic() + wait_s
        self._stopping.set()
        self.hurry()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        """Wait, gather, write, until stopped."""
        self._warm_up()
        while not self._stopping.is_set():
            self.wake.wait()
            # Cleared before the queue is read: what is added from now on wakes us again.
            self.wake.clear()
            self._hurry.wait(GATHER_S)
            self._hurry.clear()
            self._drain()
        self._drain()
        if self._connection is not None:
            self._connection.close()

    def _warm_up(self) -> None:
        """Open the file and read its schema before there is a record that waits for that.

        Each step is one in which Python's lock must be won back: beside an event loop that does
        not rest, on a machine that has other work, all of them take 200 ms.
        """
        with suppress(sqlite3.Error):  # the first write tries again, and complains
            self._connection = connect(self._path, BUSY_WAIT_S)
            self._connection.execute("SELECT seq FROM request_records LIMIT 0")

    def _drain(self) -> None:
        while self.queue:
            records, markers = self._take()
            self.in_hand = len(records)
            self._write_until_done(records)
            self.in_hand = 0
            for marker in markers:
                marker.meet()

    def _take(self) -> tuple[list[RequestRecord], list[Marker]]:
        records: list[RequestRecord] = []
        markers: list[Marker] = []
        while self.queue and len(records) < BATCH_ROWS:
            each = self.queue.popleft()
            if isinstance(each, Marker):
                markers.append(each)
            else:
                records.append(each)
        return records, markers

    def _write_until_done(self, records: list[RequestRecord]) -> None:
        """Try again, ever more slowly, while the disk is full or the file is locked."""
        pause_s = RETRY_FIRST_S
        while True:
            try:
                self._write(records)
            except sqlite3.Error as error:
                self._complain(error)
                if self._give_up_at is not None and time.monotonic() >= self._give_up_at:
                    self.unwritable += len(records)
                    log.error("request records lost", count=len(records), reason=str(error))  # noqa: TRY400 - the reason says all
                    return
                self._stopping.wait(pause_s)
                pause_s = min(pause_s * 2, RETRY_LAST_S)
                if self._stopping.is_set():
                    time.sleep(RETRY_FIRST_S)
            else:
                if pause_s > RETRY_FIRST_S:
                    log.warning(
                        "request records written again",
                        backlog=len(self.queue),
                        dropped=self.dropped,
                    )
                return

    def _write(self, records: list[RequestRecord]) -> None:
        """One transaction. Raises sqlite3.Error with nothing written."""
        if not records:
            return
        if self._connection is None:
            self._connection = connect(self._path, BUSY_WAIT_S)
        unwritable = 0
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            start = 0
            for size in STATEMENT_ROWS:
                while len(records) - start >= size:
                    unwritable += self._insert(self._connection, records[start : start + size])
                    start += size
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None
            raise
        self.unwritable += unwritable
        self._on_kept(record.request_id for record in records)
        self._on_written()

    def _insert(self, connection: sqlite3.Connection, records: list[RequestRecord]) -> int:
        """Insert; returns how many records hold a value that no column takes."""
        values = [value for record in records for value in msgspec.structs.astuple(record)]
        try:
            connection.execute(INSERT[len(records)], values)
        except UNFIT as error:
            if len(records) > 1:
                return sum(self._insert(connection, [record]) for record in records)
            log.error("request record unwritable", reason=type(error).__name__)  # noqa: TRY400 - the text may hold the value
            return 1
        return 0

    def _complain(self, error: sqlite3.Error) -> None:
        now = time.monotonic()
        if now - self._complained_at >= COMPLAIN_EVERY_S:
            self._complained_at = now
            log.error(
                "request records not written",
                backlog=self.backlog,
                dropped=self.dropped,
                reason=str(error),
            )


def add_now(path: Path, records: list[RequestRecord]) -> int:
    """Write records before there is a writer; returns how many there were not yet.

    Raises sqlite3.Error with nothing written.
    """
    with closing(connect(path, BUSY_WAIT_S)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        return sum(
            connection.execute(INSERT[1], msgspec.structs.astuple(record)).rowcount
            for record in records
        )


UNFIT = (
    OverflowError,
    UnicodeEncodeError,
    sqlite3.DataError,
    sqlite3.IntegrityError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
)
"""a value is at fault, and trying again won't help; any other error is the disk's or the file's"""


def connect(path: Path, busy_wait_s: float) -> sqlite3.Connection:
    """A connection for one of the two threads; checkpoints are the tidier's work alone."""
    connection = sqlite3.connect(path, timeout=busy_wait_s, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _insert_statement(rows: int) -> str:
    columns = [column for column in request_records.columns if column.name != "seq"]
    one_row = insert(request_records).values({column.name: None for column in columns})
    text = str(one_row.compile(dialect=sqlite.dialect(paramstyle="qmark")))
    marks = text[text.rindex("(") :]
    # One whose id is there already is the same request: what is kept of it stays as it is.
    return text + f", {marks}" * (rows - 1) + " ON CONFLICT (request_id) DO NOTHING"


INSERT = {size: _insert_statement(size) for size in STATEMENT_ROWS}
