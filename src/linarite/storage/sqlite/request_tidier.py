"""The thread that keeps `requests.db` small: checkpoints, and records past their time.

Apart from the writer, because a checkpoint waits for the disk: the writer has 100 ms, a busy
disk does not. What it does is cut into small steps, so that the writer never waits long.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import TYPE_CHECKING

import structlog

from linarite.domain.usage_report import day_of
from linarite.storage.sqlite.request_writer import connect

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.storage.retention import Retention

AFTER_WRITING_S = 2.0
"""How long after a write the log is moved into the file."""
WHEN_IDLE_S = 60.0
"""How often records are looked at for their age when nothing is written."""
STEP_ROWS = 500
STEP_PAUSE_S = 0.02
LOG_BYTES_MAX = 32 * 1024 * 1024
"""Beyond this the log begins anew, for which the writer has to wait a moment."""
BUSY_WAIT_S = 2.0
HOURS_OF_DAY = 24

log = structlog.get_logger(__name__)


class RequestTidier(threading.Thread):
    """Removes what `retention` says and empties the write-ahead log, until stopped."""

    def __init__(self, path: Path, retention: Retention) -> None:
        super().__init__(name="request-tidier", daemon=True)
        self._path = path
        self._log_path = path.with_name(f"{path.name}-wal")
        self._retention = retention
        self._written = threading.Event()
        self._stopping = threading.Event()
        self.written = self._written.set

    def stop(self) -> None:
        """End after the step at hand, with the log emptied. Blocks: call from a thread."""
        self._stopping.set()
        self._written.set()
        if self.ident is not None:
            self.join()

    def run(self) -> None:
        """Wait for writes, or for time to pass; then tidy."""
        connection: sqlite3.Connection | None = None
        while not self._stopping.is_set():
            if self._written.wait(WHEN_IDLE_S):
                self._stopping.wait(AFTER_WRITING_S)
            self._written.clear()
            try:
                connection = connection or connect(self._path, BUSY_WAIT_S)
                self._prune(connection)
                self._prune_usage(connection)
                self._checkpoint(connection)
            except sqlite3.Error as error:
                # A full disk or a busy file; the next round tries again.
                log.warning("request records not tidied", reason=str(error))
                if connection is not None and connection.in_transaction:
                    connection.rollback()
        if connection is not None:
            connection.close()

    def _prune(self, connection: sqlite3.Connection) -> None:
        while not self._stopping.is_set() and self._prune_step(connection):
            self._stopping.wait(STEP_PAUSE_S)

    def _prune_step(self, connection: sqlite3.Connection) -> bool:
        """Remove some of the oldest; True when there may be more."""
        oldest, newest = connection.execute(OLDEST_AND_NEWEST).fetchone()
        if oldest is None:
            return False
        removed = 0
        if self._retention.rows is not None:
            last = min(newest - self._retention.rows, oldest + STEP_ROWS)
            removed += connection.execute(DELETE_UP_TO, (last,)).rowcount
        if self._retention.age_s is not None:
            before_ns = time.time_ns() - int(self._retention.age_s * 1e9)
            removed += connection.execute(DELETE_OLD, (oldest + STEP_ROWS, before_ns)).rowcount
        return removed > 0

    def _prune_usage(self, connection: sqlite3.Connection) -> None:
        if self._retention.usage_days is None:
            return
        first = day_of(time.time_ns()) - self._retention.usage_days
        if connection.execute(DELETE_USAGE, (first,)).rowcount:
            connection.execute(DELETE_SUBJECTS)
        connection.execute(DELETE_HOURS, (first * HOURS_OF_DAY,))

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        """Move the log into the file, beside the writer; hold the writer up only for the rest."""
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES_MAX:
            connection.execute("PRAGMA wal_checkpoint(RESTART)")


# Each end is a question of its own: SQLite answers one at once, and both together by a scan.
OLDEST_AND_NEWEST = (
    "SELECT (SELECT min(seq) FROM request_records), (SELECT max(seq) FROM request_records)"
)
DELETE_UP_TO = "DELETE FROM request_records WHERE seq <= ?"
DELETE_USAGE = "DELETE FROM usage_days WHERE day < ?"
DELETE_HOURS = "DELETE FROM provisioned_hours WHERE hour < ?"
DELETE_SUBJECTS = "DELETE FROM usage_subjects WHERE id NOT IN (SELECT subject_id FROM usage_days)"
DELETE_OLD = "DELETE FROM request_records WHERE seq <= ? AND started_at_ns < ?"
