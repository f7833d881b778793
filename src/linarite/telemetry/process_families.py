"""What the process itself is and takes, by the names that Prometheus' clients give it.

https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics - written out here:
prometheus-client would bring a web server, for seven numbers, into the memory of every server.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from linarite.telemetry.families import Family, counter, gauge

PROC = Path("/proc")

# Of /proc/PID/stat, counted from the field behind the name: see proc_pid_stat(5).
_USER_TICKS = 11
_SYSTEM_TICKS = 12
_STARTED_TICKS = 19
_VIRTUAL_BYTES = 20
_RESIDENT_PAGES = 21


def process_families(proc: Path = PROC) -> list[Family]:
    """Everything; of the process nothing on systems without `proc`."""
    return [*_use(proc), *_descriptors(proc), _python()]


def _use(proc: Path) -> list[Family]:
    try:
        # The name in parentheses may hold anything.
        fields = (proc / "self/stat").read_text().rpartition(")")[2].split()
        booted_s = _booted_s(proc)
    except OSError:
        return []
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    cpu_s = (int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])) / ticks_per_s
    started_s = booted_s + int(fields[_STARTED_TICKS]) / ticks_per_s
    resident_bytes = int(fields[_RESIDENT_PAGES]) * os.sysconf("SC_PAGE_SIZE")
    return [
        gauge(
            "process.virtual_memory",
            "Virtual memory size in bytes.",
            [({}, int(fields[_VIRTUAL_BYTES]))],
            "By",
        ),
        gauge(
            "process.resident_memory",
            "Resident memory size in bytes.",
            [({}, resident_bytes)],
            "By",
        ),
        gauge(
            "process.start_time",
            "Start time of the process since unix epoch in seconds.",
            [({}, started_s)],
            "s",
        ),
        counter(
            "process.cpu", "Total user and system CPU time spent in seconds.", [({}, cpu_s)], "s"
        ),
    ]


def _booted_s(proc: Path) -> int:
    for line in (proc / "stat").read_text().splitlines():
        if line.startswith("btime "):
            return int(line.split()[1])
    return 0


def _descriptors(proc: Path) -> list[Family]:
    try:
        open_now = sum(1 for _ in (proc / "self/fd").iterdir())
        limits = (proc / "self/limits").read_text().splitlines()
    except OSError:
        return []
    bounds = [line.split()[3] for line in limits if line.startswith("Max open files")]
    return [
        gauge("process.open_fds", "Number of open file descriptors.", [({}, open_now)]),
        gauge(
            "process.max_fds",
            "Maximum number of open file descriptors.",
            [({}, float("inf") if bound == "unlimited" else int(bound)) for bound in bounds],
        ),
    ]


def _python() -> Family:
    major, minor, patch_level = platform.python_version_tuple()
    labels = {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "major": major,
        "minor": minor,
        "patchlevel": patch_level,
    }
    return gauge("python.info", "Python platform information", [(labels, 1)])
