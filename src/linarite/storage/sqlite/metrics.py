"""Grains in `metrics.db`: a row for each series and minute, and one for each series and hour.

A file of its own, `synchronous = NORMAL`: a write every few seconds must not wait for the disk.
Everything runs in threads, reading and decoding too: a question about a month reads tens of
thousands of rows.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.azure_metrics.grains import HOUR_S, MINUTE_S, Grain, Series, Tally
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.unbroken import unbroken
from linarite.storage.migrate import METRICS_HISTORY
from linarite.storage.retention import Retention
from linarite.storage.sqlite_file import prepare, private_folder

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from linarite.domain.azure_metrics.grains import GrainQuery

METRICS_FILE = "metrics.db"
BUSY_WAIT_S = 5.0
KNOWN_MAX = 10_000
"""ids of series that are remembered"""
FORGET_ROWS = 5_000
"""removed in one transaction"""

FIND_SERIES = "SELECT id FROM metric_series WHERE body = ?"
ADD_SERIES = "INSERT INTO metric_series (account_key, body) VALUES (?, ?)"
FIND_GRAIN = (
    "SELECT body FROM metric_grains "
    "WHERE span_s = ? AND account_key = ? AND at_s = ? AND series_id = ?"
)
PUT_GRAIN = (
    "INSERT INTO metric_grains (span_s, account_key, at_s, series_id, body) "
    "VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (span_s, account_key, at_s, series_id) DO UPDATE SET body = excluded.body"
)
READ_GRAINS = (
    "SELECT at_s, series_id, body FROM metric_grains "
    "WHERE span_s = ? AND account_key = ? AND at_s >= ? AND at_s < ? ORDER BY at_s, series_id"
)
READ_SERIES = "SELECT id, body FROM metric_series WHERE account_key = ?"
COUNT_MINUTES = "SELECT count(*) FROM metric_grains WHERE span_s = 60"
NTH_MINUTE = "SELECT at_s FROM metric_grains WHERE span_s = 60 ORDER BY at_s LIMIT 1 OFFSET ?"
FORGET = (
    "DELETE FROM metric_grains WHERE (span_s, account_key, at_s, series_id) IN ("
    "SELECT span_s, account_key, at_s, series_id FROM metric_grains "
    "WHERE span_s = ? AND at_s < ? LIMIT ?)"
)
FORGET_SERIES = (
    "DELETE FROM metric_series WHERE id NOT IN (SELECT DISTINCT series_id FROM metric_grains)"
)

log = structlog.get_logger(__name__)

_encode = msgspec.json.Encoder().encode
_series = msgspec.json.Decoder(Series).decode
_tally = msgspec.json.Decoder(Tally).decode


def open_metric_store(folder: Path, retention: Retention | None = None) -> SqliteMetricStore:
    """Make or migrate `metrics.db` in the folder. Open the folder's `Database` first: its lock.

    `retention.rows` bounds the minutes alone: hours are a sixtieth of them. Raises SetupError.
    """
    private_folder(folder)
    path = folder / METRICS_FILE
    prepare(path, METRICS_HISTORY)
    return SqliteMetricStore(path, retention or Retention())


class SqliteMetricStore:
    """`MetricStore` on a file."""

    def __init__(self, path: Path, retention: Retention) -> None:
        self._path = path
        self._retention = retention
        self._ids: dict[Series, int] = {}
        self._writing: sqlite3.Connection | None = None
        self._turn = asyncio.Lock()

    async def add(self, grains: Sequence[Grain]) -> None:
        """Count in what came in these minutes, and in their hours, in one transaction."""
        async with self._turn:
            await unbroken(asyncio.to_thread(self._add, grains))

    async def read(self, query: GrainQuery) -> list[Grain]:
        """Those that begin in the time asked for, the oldest first."""
        return await asyncio.to_thread(self._read, query)

    async def tidy(self, now_s: float) -> int:
        """Forget what is past its time, and the oldest minutes where there are too many."""
        async with self._turn:
            return await unbroken(asyncio.to_thread(self._tidy, now_s))

    async def close(self) -> None:
        """Let go of the file."""
        async with self._turn:
            if self._writing is not None:
                await asyncio.to_thread(self._writing.close)
                self._writing = None

    @contextmanager
    def _writer(self) -> Generator[sqlite3.Connection]:
        """A transaction. One connection stays open, or every write would end in a checkpoint."""
        with self._told():
            if self._writing is None:
                self._writing = _connected(self._path)
            try:
                self._writing.execute("BEGIN IMMEDIATE")
                yield self._writing
                self._writing.execute("COMMIT")
            except BaseException:
                self._writing.close()
                self._writing = None
                raise

    @contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            log.error("database failed", file=METRICS_FILE, reason=str(error))  # noqa: TRY400 - the reason says all
            raise ServiceUnavailable(f"{METRICS_FILE}: {error}") from error

    def _add(self, grains: Sequence[Grain]) -> None:
        with self._writer() as connection:
            # What was remembered must not outlive a transaction that failed.
            known, self._ids = self._ids, {}
            for grain in grains:
                series = known.get(grain.series)
                if series is None:
                    series = known[grain.series] = _id_of(connection, grain.series)
                hour = grain.at_s // HOUR_S * HOUR_S
                for span_s, at_s in ((MINUTE_S, grain.at_s), (HOUR_S, hour)):
                    place = (span_s, grain.series.account_key, at_s, series)
                    _count_in(connection, place, grain.tally)
        self._ids = known if len(known) < KNOWN_MAX else {}

    def _read(self, query: GrainQuery) -> list[Grain]:
        with self._told(), closing(_connected(self._path)) as connection:
            connection.execute("BEGIN")
            series = {
                number: _series(body)
                for number, body in connection.execute(READ_SERIES, (query.account_key,))
            }
            rows = connection.execute(
                READ_GRAINS, (query.span_s, query.account_key, query.since_s, query.until_s)
            )
            return [Grain(at_s, series[number], _tally(body)) for at_s, number, body in rows]

    def _tidy(self, now_s: float) -> int:
        with self._writer() as connection:
            oldest = self._oldest_kept(connection, now_s)
        gone = 0
        for span_s, at_s in oldest.items():
            removed = FORGET_ROWS
            while removed == FORGET_ROWS:
                with self._writer() as connection:
                    removed = connection.execute(FORGET, (span_s, at_s, FORGET_ROWS)).rowcount
                gone += removed
        if gone:
            self._ids = {}
            with self._writer() as connection:
                connection.execute(FORGET_SERIES)
        return gone

    def _oldest_kept(self, connection: sqlite3.Connection, now_s: float) -> dict[int, int]:
        """The first moment that is kept, by span."""
        by_age = 0 if self._retention.age_s is None else int(now_s - self._retention.age_s)
        oldest = {MINUTE_S: by_age, HOUR_S: by_age}
        if self._retention.rows is not None:
            (count,) = connection.execute(COUNT_MINUTES).fetchone()
            beyond = count - self._retention.rows
            if beyond > 0:
                (at_s,) = connection.execute(NTH_MINUTE, (beyond,)).fetchone()
                oldest[MINUTE_S] = max(by_age, at_s)
        return oldest


def _connected(path: Path) -> sqlite3.Connection:
    """A connection that threads use in turn."""
    connection = sqlite3.connect(
        path, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _id_of(connection: sqlite3.Connection, series: Series) -> int:
    body = _encode(series).decode()
    found = connection.execute(FIND_SERIES, (body,)).fetchone()
    if found is not None:
        return int(found[0])
    added = connection.execute(ADD_SERIES, (series.account_key, body)).lastrowid
    return added or 0


def _count_in(
    connection: sqlite3.Connection, place: tuple[int, str, int, int], tally: Tally
) -> None:
    there = connection.execute(FIND_GRAIN, place).fetchone()
    if there is not None:
        counted = _tally(there[0])
        counted.add(tally)
        tally = counted
    connection.execute(PUT_GRAIN, (*place, _encode(tally).decode()))
