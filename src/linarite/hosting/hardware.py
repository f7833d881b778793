"""What this machine is, in a line."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


@cache
def hardware_name() -> str:
    """The processor's name and how many of its CPUs this process may use."""
    cpus = len(os.sched_getaffinity(0))
    return f"{_processor()}, {cpus} CPU{'' if cpus == 1 else 's'}"


def _processor() -> str:
    try:
        lines = CPUINFO.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        word, _, value = line.partition(":")
        if word.strip() == "model name" and value.strip():
            return value.strip()
    return platform.machine() or "unknown"
