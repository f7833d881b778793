"""What an engine's process does first: it gives up the network, ties and bounds itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import msgspec

from linarite.engines.worker_process.no_network import give_up_network

if TYPE_CHECKING:
    from linarite.engines.worker_process.order import Order, WorkerOptionsT

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_MIB = 1024 * 1024


def begin(kind: type[Order[WorkerOptionsT]]) -> tuple[Order[WorkerOptionsT], int]:
    """Read the order from standard input, tie this process to its parent and bound it.

    Returns the order and where reports go.
    """
    reports = _take_standard_output()
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=kind)
    give_up_network()  # before the first thread: what is started later has none either
    _die_with_parent(order.parent_pid)
    _bound(address_space_mib=order.options.address_space_mib, niceness=order.options.niceness)
    return order, reports


def _take_standard_output() -> int:
    """Keep it for reports; whatever libraries print goes to standard error.

    Ctrl-C reaches everything in the terminal; ending is up to the gateway, which drains first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reports = os.dup(1)
    os.dup2(2, 1)
    return reports


def _die_with_parent(parent_pid: int) -> None:
    """However the parent ends, this process ends too.

    The kernel's signal is quick where there is one; the end of standard input comes everywhere.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent_pid:
        leave(1)
    threading.Thread(target=_watch_standard_input, daemon=True).start()


def _watch_standard_input() -> None:
    while os.read(0, 4096):
        pass
    leave(1)


def _bound(*, address_space_mib: int, niceness: int) -> None:
    """No core file, private files, a bounded address space, a step back for others."""
    # A core file would hold prompts.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if address_space_mib:
        size = address_space_mib * _MIB
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    os.umask(0o077)
    os.nice(niceness)


def report(reports: int, what: msgspec.Struct) -> None:
    """Write a report, if anybody still reads."""
    with contextlib.suppress(BrokenPipeError):
        os.write(reports, msgspec.json.encode(what) + b"\n")


def leave(code: int) -> NoReturn:
    """End, from any thread, and past a library that may be busy loading."""
    os._exit(code)
