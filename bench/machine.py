"""What the numbers were measured on, and how much else was going on there."""

from __future__ import annotations

import os
import platform
import resource
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

QUIET_SHARE = 0.10
PACKAGES = ("linarite", "httptools", "uvloop", "msgspec", "xllamacpp")


def describe() -> dict[str, str]:
    """The machine and the versions that matter."""
    cores = sorted(os.sched_getaffinity(0))
    return {
        "CPU": f"{_cpu_name()}, {len(cores)} cores",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def gateway_cores() -> tuple[set[int], set[int]]:
    """One core for the gateway, all others for the load; with one core both share it."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others) or {first}


class OtherWork:
    """How busy the machine is with what we did not start."""

    def __init__(self) -> None:
        """Count from now."""
        self._busy_s, self._total_s = _cpu_seconds()
        self._ours_s = _our_seconds()

    def share(self) -> float:
        """Part of the machine that others have used since then, 0 to 1.

        Processes we started count as ours once they have ended.
        """
        busy_s, total_s = _cpu_seconds()
        others_s = busy_s - self._busy_s - (_our_seconds() - self._ours_s)
        return max(0.0, others_s / max(0.01, total_s - self._total_s))


def busy_at_start() -> float:
    """Part of the machine that is in use while we wait a second."""
    other = OtherWork()
    time.sleep(1)
    return other.share()


def warning(share: float, when: str) -> str:
    """What to say about it; empty on a quiet machine."""
    load = os.getloadavg()[0]
    if share < QUIET_SHARE:
        return ""
    return (
        f"WARNING: {when}, other processes used {share:.0%} of this machine (load average "
        f"{load:.1f}): these figures are only indicative. Run again when it is quiet."
    )


def _cpu_seconds() -> tuple[float, float]:
    """Seconds that all cores were busy, and that there were, since the machine started."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, idle, waiting, *rest = (int(field) for field in fields)
    tick = os.sysconf("SC_CLK_TCK")
    busy = user + nice + system + sum(rest)
    return busy / tick, (busy + idle + waiting) / tick


def _our_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def _cpu_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"
