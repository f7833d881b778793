"""Finding the processes of a server."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_S = 60.0


def children_of(pid: int) -> dict[int, str]:
    """Process id → command line, of every living child."""
    found: dict[int, str] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = status.read_text().rpartition(")")
            state, parent = rest.split()[:2]
            if int(parent) == pid and state != "Z":
                command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(status.parent.name)] = command.decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def cpu_s(pid: int) -> float:
    """Seconds for which a process has computed, all its threads together."""
    _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
    user, system = rest.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def until(condition: Callable[[], bool], *, patience_s: float = PATIENCE_S) -> float:
    """Wait until the condition holds; returns how many seconds that took."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > patience_s:
            message = f"not within {patience_s:g} s"
            raise AssertionError(message)
        time.sleep(0.05)
    return time.monotonic() - began
