"""The ledger on SQLite: never in the way, and as little lost as can be."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from datetime import date
from itertools import count
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.domain.errors import SetupError
from linarite.domain.request_record import RequestRecord
from linarite.domain.usage_report import UsageQuestion
from linarite.storage.retention import Retention
from linarite.storage.sqlite import request_tidier
from linarite.storage.sqlite.requests import SqliteRequestLedger, open_request_ledger
from linarite.storage.tables.requests import request_records
from tests.storage.builders import make_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

PATIENCE_S = 30.0


async def until(condition: Callable[[], bool]) -> None:
    """Poll; fail when it has not come true in a time that is long on any machine."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at, "the condition did not come true"
        await asyncio.sleep(0.01)


def rows_on_disk(folder: Path) -> int:
    """What another process would see."""
    with closing(sqlite3.connect(folder / "requests.db", timeout=5)) as connection:
        return connection.execute("SELECT count(*) FROM request_records").fetchone()[0]


def test_the_table_has_the_records_fields_in_order() -> None:
    """Rows are written by position, so table and record must not differ."""
    columns = [column.name for column in request_records.columns]
    assert columns == ["seq", *RequestRecord.__struct_fields__]


async def test_records_reach_the_disk_unasked(tmp_path: Path) -> None:
    """Nobody flushes, and another connection sees the record all the same."""
    ledger = open_request_ledger(tmp_path)
    ledger.add(make_record())
    await until(lambda: rows_on_disk(tmp_path) == 1)
    ledger.add(make_record("another"))
    await until(lambda: rows_on_disk(tmp_path) == 2)
    assert ledger.backlog == 0
    await ledger.close()


async def test_closing_writes_what_is_left(tmp_path: Path) -> None:
    """Records added just before the end are there in the next run, and the log is folded in."""
    ledger = open_request_ledger(tmp_path)
    for number in range(5_000):
        ledger.add(make_record(f"r{number}"))
    await ledger.close()
    assert rows_on_disk(tmp_path) == 5_000
    assert not (tmp_path / "requests.db-wal").exists()
    ledger = open_request_ledger(tmp_path)
    found = await ledger.find("r4999")
    assert found is not None
    await ledger.close()


async def test_adding_after_closing_is_counted_as_lost(tmp_path: Path) -> None:
    """A programming error shows in the count instead of vanishing."""
    ledger = open_request_ledger(tmp_path)
    await ledger.close()
    ledger.add(make_record())
    assert ledger.dropped == 1


async def test_nothing_is_lost_while_another_program_holds_the_file(tmp_path: Path) -> None:
    """Adding goes on, questions are answered, and everything arrives once the file is free."""
    ledger = open_request_ledger(tmp_path)
    ledger.add(make_record("before"))
    await ledger.flush()
    with capture_logs() as lines, closing(sqlite3.connect(tmp_path / "requests.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(1_000):
            ledger.add(make_record(f"r{number}"))
        assert await ledger.find("before") is not None
        await until(lambda: any(line["event"] == "request records not written" for line in lines))
        assert 1_000 <= ledger.backlog <= 1_001  # what asked may wait behind them
        other.rollback()
        await asyncio.wait_for(ledger.flush(), PATIENCE_S)
    assert rows_on_disk(tmp_path) == 1_001
    assert (ledger.backlog, ledger.dropped) == (0, 0)
    assert any(line["event"] == "request records written again" for line in lines)
    latest = await ledger.latest(1_000)
    assert [record.request_id for record in reversed(latest)] == [f"r{n}" for n in range(1_000)]
    await ledger.close()


async def test_beyond_the_bound_records_are_dropped_and_counted(tmp_path: Path) -> None:
    """Memory is bounded: the oldest are kept, the rest counted, and it recovers."""
    ledger = open_request_ledger(tmp_path, backlog_max=100)
    with closing(sqlite3.connect(tmp_path / "requests.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        # A first one that the writer takes in hand; then the queue fills to its bound.
        ledger.add(make_record("first"))
        await until(lambda: ledger._writer.in_hand == 1)
        for number in range(250):
            ledger.add(make_record(f"r{number}"))
        assert ledger.dropped == 150
        assert ledger.backlog == 101
        other.rollback()
    await asyncio.wait_for(ledger.flush(), PATIENCE_S)
    assert rows_on_disk(tmp_path) == 101
    ledger.add(make_record("after"))
    assert await ledger.find("after") is not None
    assert await ledger.find("r99") is not None
    assert await ledger.find("r100") is None
    assert ledger.dropped == 150
    await ledger.close()


async def test_closing_gives_up_on_a_file_that_stays_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server can stop; what could not be written is counted and said."""
    monkeypatch.setattr("linarite.storage.sqlite.requests.CLOSE_WAIT_S", 0.1)
    ledger = open_request_ledger(tmp_path)
    with capture_logs() as lines, closing(sqlite3.connect(tmp_path / "requests.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(10):
            ledger.add(make_record(f"r{number}"))
        await asyncio.wait_for(ledger.close(), PATIENCE_S)
    assert ledger.dropped == 10
    lost = [line["count"] for line in lines if line["event"] == "request records lost"]
    assert sum(lost) == 10


async def test_a_record_that_no_column_takes_does_not_block_the_others(tmp_path: Path) -> None:
    """Values out of range are counted as lost; what came with them is written, in order."""
    ledger = open_request_ledger(tmp_path)
    unfit = {
        "too large": {"prompt_tokens": 2**70},
        "surrogate": {"path": "\udcff"},
        "missing": {"model": None},
        "foreign": {"status": object()},
    }
    for number in range(200):
        ledger.add(make_record(f"r{number}"))
        if number % 50 == 10:
            name, changed = unfit.popitem()
            ledger.add(make_record(name, **changed))
    await asyncio.wait_for(ledger.flush(), PATIENCE_S)
    assert ledger.dropped == 4
    latest = await ledger.latest(1_000)
    assert [record.request_id for record in reversed(latest)] == [f"r{n}" for n in range(200)]
    await ledger.close()


async def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """The message names the file, so that only the records are moved away."""
    (tmp_path / "requests.db").write_bytes(b"no database " * 1_000)
    with pytest.raises(SetupError, match=r"requests\.db is damaged"):
        open_request_ledger(tmp_path)


async def test_a_lone_thread_adds_while_others_ask(tmp_path: Path) -> None:
    """Records added and questions asked at the same time do not disturb each other."""
    ledger = open_request_ledger(tmp_path)
    for start in range(0, 2_000, 100):
        for number in range(start, start + 100):
            ledger.add(make_record(f"r{number}"))
        answers = await asyncio.gather(
            ledger.find(f"r{start}"), ledger.latest(1), ledger.flush(), ledger.latest(3)
        )
        assert answers[0] is not None
        assert answers[1][0].request_id == f"r{start + 99}"
    assert rows_on_disk(tmp_path) == 2_000
    await ledger.close()


async def test_the_rows_beyond_the_bound_are_removed(tmp_path: Path) -> None:
    """In the background, oldest first, down to the bound and no further."""
    ledger = open_request_ledger(tmp_path, retention=Retention(rows=700))
    for number in range(3_000):
        ledger.add(make_record(f"r{number}"))
    await ledger.flush()
    await until(lambda: rows_on_disk(tmp_path) == 700)
    latest = await ledger.latest(5_000)
    assert [record.request_id for record in reversed(latest)] == [
        f"r{number}" for number in range(2_300, 3_000)
    ]
    await ledger.close()


async def test_records_past_their_age_are_removed(tmp_path: Path) -> None:
    """Those that started before the limit go, the others stay."""
    ledger = open_request_ledger(tmp_path, retention=Retention(age_s=3_600))
    now = time.time_ns()
    for number in range(1_500):
        ledger.add(make_record(f"old{number}", started_at_ns=now - 3_700 * 10**9))
    for number in range(5):
        ledger.add(make_record(f"new{number}", started_at_ns=now - 3_000 * 10**9))
    await ledger.flush()
    await until(lambda: rows_on_disk(tmp_path) == 5)
    assert await ledger.find("new0") is not None
    await ledger.close()


async def test_sums_of_usage_outlive_records_and_go_in_their_time(tmp_path: Path) -> None:
    """What is kept for days stays, without the records; older days go, with whose they were."""
    ledger = open_request_ledger(tmp_path, retention=Retention(age_s=3_600, usage_days=5))
    now, day_ns = time.time_ns(), 86_400 * 10**9
    for days in range(8):
        started_at_ns = now - days * day_ns
        ledger.add(make_record(f"r{days}", account_id=f"/a/{days}", started_at_ns=started_at_ns))
    await ledger.flush()

    def counted(table: str) -> int:
        with closing(sqlite3.connect(tmp_path / "requests.db", timeout=5)) as connection:
            return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - ours

    await until(lambda: (counted("usage_days"), counted("usage_subjects")) == (6, 6))
    assert rows_on_disk(tmp_path) == 1
    sums = await ledger.usage(UsageQuestion(date(2020, 1, 1), date(2100, 1, 1), by=("accountId",)))
    assert [each.group[0] for each in sums] == [f"/a/{days}" for days in range(6)]
    await ledger.close()


async def test_everything_is_kept_without_limits(tmp_path: Path) -> None:
    """No retention removes nothing: a round of tidying leaves all rows."""
    ledger = open_request_ledger(tmp_path)
    for number in range(50):
        ledger.add(make_record(f"r{number}", started_at_ns=1))
    await ledger.flush()
    log = tmp_path / "requests.db-wal"
    size = log.stat().st_size
    ledger._tidier._prune(request_tidier.connect(tmp_path / "requests.db", 5.0))
    assert rows_on_disk(tmp_path) == 50
    assert log.stat().st_size == size
    await ledger.close()


@pytest.mark.slow
async def test_the_log_does_not_grow_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under writing that never pauses the write-ahead log is begun anew at its bound."""
    monkeypatch.setattr(request_tidier, "LOG_BYTES_MAX", 500_000)
    monkeypatch.setattr(request_tidier, "AFTER_WRITING_S", 0.05)
    ledger = open_request_ledger(tmp_path)
    data, log = tmp_path / "requests.db", tmp_path / "requests.db-wal"
    largest, numbers = 0, count()
    give_up_at = time.monotonic() + PATIENCE_S
    while data.stat().st_size < 30_000_000 and time.monotonic() < give_up_at:
        for _ in range(200):
            ledger.add(make_record(f"r{next(numbers):09}", path="x" * 200))
        await asyncio.sleep(0.02)
        largest = max(largest, log.stat().st_size if log.exists() else 0)
    await ledger.close()
    assert data.stat().st_size >= 30_000_000, "too little was written to tell"
    assert 400_000 < largest < 20_000_000  # it is looked at now and then, not at its largest


async def test_its_threads_end_with_it(tmp_path: Path) -> None:
    """Closing leaves no thread behind, and none keeps a process alive."""
    before = set(threading.enumerate())
    ledger: SqliteRequestLedger = open_request_ledger(tmp_path)
    ledger.add(make_record())
    await ledger.latest(1)
    started = set(threading.enumerate()) - before
    assert {"request-writer", "request-tidier"} <= {thread.name for thread in started}
    assert all(thread.daemon for thread in started if thread.name.startswith("request-"))
    await ledger.close()
    await until(lambda: not any(thread.is_alive() for thread in started if thread.daemon))
