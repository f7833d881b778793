"""Processes under measurement: started on given cores, their CPU time and memory read."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.peers import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

STOP_S = 15.0


class Started:
    """A process and its descendants."""

    def __init__(self, process: subprocess.Popen[Any], log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        """Of the process itself."""
        return self.process.pid

    def cpu_s(self) -> float:
        """CPU seconds that it and its living descendants have used, all threads included."""
        return sum(_cpu_s(pid) for pid in self.tree())

    def rss_bytes(self) -> int:
        """Resident memory of the process itself."""
        return rss_bytes(self.pid)

    def children_rss_bytes(self) -> int:
        """Resident memory of its descendants."""
        return sum(rss_bytes(pid) for pid in self.tree() if pid != self.pid)

    def tree(self) -> list[int]:
        """Its process id and those of its descendants."""
        parents = _parents()
        found = [self.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end, then insist; what it started and left behind is ended too."""
        if self.alive():
            self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


def start(
    command: Sequence[str],
    log: Path,
    *,
    cores: set[int] | None = None,
    environment: Mapping[str, str] | None = None,
    without: str = " ",
    folder: Path | None = None,
) -> Started:
    """Start a process on the given cores (None: any); what it prints goes to `log`.

    It gets our environment, less what begins with `without`, and `environment`.
    """
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(without)}
    with log.open("wb") as output, running_on(cores):
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**inherited, **(environment or {})},
            cwd=folder,
            # Its own group: the keyboard's Ctrl-C is ours alone to act on, and `stop` finds all.
            process_group=0,
        )
    return Started(process, log)


@contextmanager
def running_on(cores: set[int] | None) -> Iterator[None]:
    """Keep this thread, and what it starts, on the given cores meanwhile."""
    if cores is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def until_listening(port: int, started: Started, wait_s: float) -> None:
    """Return as soon as the port takes connections. Raises Unavailable."""
    give_up_at = time.monotonic() + wait_s
    while time.monotonic() < give_up_at:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if not started.alive():
                raise Unavailable(f"ended at once; its last words: {last_words(started)}") from None
            await asyncio.sleep(0.005)
        else:
            writer.close()
            return
    raise Unavailable(f"did not listen within {wait_s:g} s; last words: {last_words(started)}")


def last_words(started: Started) -> str:
    """The end of what a process printed."""
    return started.log.read_text(errors="replace")[-800:].strip().replace("\n", " | ")


def rss_bytes(pid: int) -> int:
    """Resident memory of one process; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu_s(pid: int) -> float:
    # The kernel's clock of that process: what /proc/PID/stat shows, in nanoseconds not in ticks.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            # The command in parentheses may hold anything; what follows it is: state, parent.
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents
