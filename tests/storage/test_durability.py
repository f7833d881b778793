"""What survives `kill -9`: proved by killing real processes at random moments."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linarite.controls.quota import MemoryLedger
from linarite.controls.quota.lasting import AHEAD_SHARE
from linarite.domain.ledger import Bucket, Window
from linarite.storage.database import open_database
from linarite.storage.sqlite.keys import open_key_store
from linarite.storage.sqlite.lasting_counts import SqliteLastingCounts
from linarite.storage.sqlite.resources import SqliteResourceStore

if TYPE_CHECKING:
    from collections.abc import Iterator

CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parents[2]
KILLS = 5
MAY_BE_LOST_NS = 200_000_000
LOOKS_A_SECOND = 100
MOST_AT_ONCE = 40_000
"""more than `charge_a_day.py` has in work"""


def start(child: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a child program with this checkout importable."""
    return subprocess.Popen(
        [sys.executable, str(CHILDREN / child), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def lines_until_killed(process: subprocess.Popen[str], alive_s: float) -> list[str]:
    """Kill it `alive_s` after its first line; every whole line that it had written."""
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, "the child ended by itself"
    killer = threading.Timer(alive_s, process.send_signal, [signal.SIGKILL])
    killer.start()
    rest = process.stdout.read()
    killer.join()
    assert process.wait() == -signal.SIGKILL
    return [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


class Stalls:
    """Notes for how long a process could not go on, though it would have.

    Writes a little to the same disk all the time, for the longest that this had to wait; and looks
    how long threads of the process waited for a processor. A machine that stands still or works
    for others is not the ledger's doing: what it did that for is allowed.
    """

    def __init__(self, folder: Path, process: int) -> None:
        self.longest_ns = 0
        self._path = folder / "probe"
        self._tasks = Path(f"/proc/{process}/task")
        self._waited: deque[int] = deque(maxlen=LOOKS_A_SECOND)
        self._ended = threading.Event()

    @property
    def waited_ns(self) -> int:
        """For a processor, in the last second in which it lived."""
        return self._waited[-1] - self._waited[0] if self._waited else 0

    def run(self) -> None:
        """Write every ten milliseconds until ended."""
        with self._path.open("ab", buffering=0) as file:
            last = time.monotonic_ns()
            while not self._ended.wait(1 / LOOKS_A_SECOND):
                file.write(b"x")
                now = time.monotonic_ns()
                self.longest_ns = max(self.longest_ns, now - last - 10**9 // LOOKS_A_SECOND)
                last = now
                with suppress(OSError, IndexError):  # it has ended, or a thread of it
                    self._waited.append(sum(map(waited_ns, self._tasks.iterdir())))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run in a thread for the length of the block."""
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()


def waited_ns(thread: Path) -> int:
    """How long a thread has waited for a processor since it began, as the kernel has it."""
    return int((thread / "schedstat").read_text().split()[1])


@pytest.mark.slow
@pytest.mark.parametrize("pace", ["paced", "saturated"])
def test_a_killed_process_loses_at_most_the_last_200_ms_of_records(
    tmp_path: Path, pace: str
) -> None:
    """Every record that was 200 ms old when its process was killed is on disk, in order."""
    for run in range(KILLS):
        with start("write_records.py", str(tmp_path), str(run), pace) as child:
            stalls = Stalls(tmp_path, child.pid)
            with stalls.watched():
                lines = lines_until_killed(child, random.uniform(0.3, 1.2))
        added = [(int(number), int(at_ns)) for number, at_ns in map(str.split, lines)]
        # The last one added is the last moment at which the process is known to have run.
        safe_before_ns = added[-1][1] - MAY_BE_LOST_NS - max(stalls.longest_ns, stalls.waited_ns)
        due = {number for number, at_ns in added if at_ns <= safe_before_ns}
        with closing(sqlite3.connect(tmp_path / "requests.db")) as connection:
            rows = connection.execute(
                "SELECT request_id FROM request_records WHERE request_id LIKE ? ORDER BY seq",
                (f"{run}-%",),
            )
            kept = [int(request_id.split("-")[1]) for (request_id,) in rows]
        assert len(added) > 50, "the child has done too little to prove anything"
        assert kept == list(range(len(kept))), "records are missing in the middle"
        assert due <= set(kept)
        assert connection_is_sound(tmp_path / "requests.db")


def connection_is_sound(path: Path) -> bool:
    """SQLite finds nothing wrong with the whole file."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.slow
@pytest.mark.anyio
async def test_what_was_charged_to_a_day_is_never_forgotten(tmp_path: Path) -> None:
    """After each kill the count is at least what was admitted, and at most a hundredth more."""
    bucket = Bucket("day", "key-tokens", "tokens", 10_000_000, Window.DAY)
    admitted = too_much = 0
    for _ in range(KILLS):
        with start("charge_a_day.py", str(tmp_path), str(bucket.limit)) as child:
            lines = lines_until_killed(child, random.uniform(0.1, 0.5))
        admitted += sum(map(int, lines))
        too_much += bucket.limit // AHEAD_SHARE + MOST_AT_ONCE
        database = open_database(tmp_path)
        ledger = MemoryLedger(counts=SqliteLastingCounts(database))
        await ledger.open()
        counted = bucket.limit - (await ledger.left([bucket]))[0]
        await database.close()
        assert len(lines) > 20, "the child has done too little to prove anything"
        assert admitted <= counted <= admitted + too_much


@pytest.mark.slow
@pytest.mark.anyio
async def test_every_acknowledged_write_survives(tmp_path: Path) -> None:
    """After each kill every resource and key is in its last acknowledged state or a later one."""
    acknowledged: dict[str, tuple[int, str]] = {}
    first = 0
    for _ in range(KILLS):
        with start("write_state.py", str(tmp_path), str(first)) as child:
            lines = lines_until_killed(child, random.uniform(0.1, 1.0))
        for _, what, number, state in map(str.split, lines):
            acknowledged[what] = (int(number), state)
        first = max(number for number, _ in acknowledged.values()) + 10
        database = open_database(tmp_path)
        store = SqliteResourceStore(database)
        keys = await open_key_store(database)
        for what, (number, state) in acknowledged.items():
            if what.startswith("/r/"):
                found = await store.get(what)
                assert found is not None, f"{what} is gone"
                assert found.properties["number"] >= number
                assert (found.etag == state) == (found.properties["number"] == number)
            else:
                pair = await keys.ensure(what)
                # Each write replaces one key, so at most one may be newer than acknowledged.
                assert {pair.key1, pair.key2} & set(state.split(":")), f"keys of {what} are lost"
        await database.close()
        assert connection_is_sound(tmp_path / "linarite.db")
    assert len(acknowledged) == 3 * 7 + 3


@pytest.mark.slow
def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """Records wait in memory while the disk is full, and are written when there is room."""
    with start("fill_the_disk.py", str(tmp_path)) as child:
        overdue = threading.Timer(120, child.kill)
        overdue.start()
        out, _ = child.communicate()
        overdue.cancel()
    assert child.returncode == 0
    saw = json.loads(out.splitlines()[-1])
    assert saw["waiting"] > 0
    assert saw["readable"]
    assert (saw["rows"], saw["dropped"]) == (4_001, 0)
