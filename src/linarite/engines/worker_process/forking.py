"""A process that forks one for each thing that is handed to it, and sees nothing of it itself.

Its standard input is a socket. A message is a name with two descriptors: one for what goes in and
comes out, one on which is told how the fork ended. Whoever closes that one has the fork killed;
with the socket closed everything ends. The gateway's side is `engines.forked_children`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
from typing import TYPE_CHECKING

from linarite.engines.worker_process.no_network import give_up_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import BinaryIO, NoReturn

    Prepare = Callable[[str], None]
    Work = Callable[[str, BinaryIO, BinaryIO], None]

NAME_BYTES_MAX = 8_192
_PR_SET_PDEATHSIG = 1


def fork_for_each(prepare: Prepare, work: Work) -> NoReturn:
    """Fork until nobody wishes any more: the whole life of this process, which has no network.

    `prepare` gets each name before the fork, to load what the work will need; it must start no
    thread. `work` gets it in the fork, with what goes in and what comes out.
    """
    give_up_network()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the gateway ends it
    gc.freeze()  # the forks' collectors need not look through all of this
    try:
        _Forks(socket.socket(socket.AF_UNIX, fileno=os.dup(0)), prepare, work).run()
    except BaseException:  # noqa: BLE001 - in a fork as well: it ends at once, whatever it has
        os._exit(1)
    os._exit(0)


class _Forks:
    """Those that are at work."""

    def __init__(self, wishes: socket.socket, prepare: Prepare, work: Work) -> None:
        self._wishes = wishes
        self._prepare = prepare
        self._work = work
        self._told: dict[int, int] = {}
        """of each process, the descriptor on which is told how it ended"""
        self._poll = select.poll()
        self._ended, ending = os.pipe()
        for each in (self._ended, ending):
            os.set_blocking(each, False)
        signal.signal(signal.SIGCHLD, _noted)
        signal.set_wakeup_fd(ending, warn_on_full_buffer=False)
        for each in (self._ended, wishes.fileno()):
            self._poll.register(each, select.POLLIN)

    def run(self) -> None:
        """Until nobody wishes any more. In a new process it returns after its work."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._ended:
                    self._reap()
                elif descriptor == self._wishes.fileno():
                    if self._fork():
                        return
                else:  # nobody waits for that one any more
                    self._kill(descriptor)

    def _fork(self) -> bool:
        """True in a process whose work is done, and here where nobody wishes any more."""
        wish, descriptors, _, _ = socket.recv_fds(self._wishes, NAME_BYTES_MAX, 2)
        if not wish:
            for each in self._told:
                os.kill(each, signal.SIGKILL)
            return True
        name = wish.decode("utf-8", "replace")
        self._prepare(name)
        content, told = descriptors
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            _become(content, parent)
            with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as target:
                self._work(name, source, target)
            return True
        os.close(content)
        self._told[pid] = told
        self._poll.register(told, select.POLLIN)
        return False

    def _kill(self, told: int) -> None:
        for pid, each in self._told.items():
            if each == told:
                os.kill(pid, signal.SIGKILL)
        self._poll.unregister(told)  # it is reaped soon

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._ended, NAME_BYTES_MAX)
        while self._told:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            told = self._told.pop(pid)
            with contextlib.suppress(KeyError):
                self._poll.unregister(told)
            with contextlib.suppress(OSError):  # whoever waited has gone
                os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(told)


def _noted(number: int, frame: FrameType | None) -> None:
    """Only where a signal has a handler is the pipe written to."""


def _become(content: int, parent: int) -> None:
    """A process with nothing but its file, which ends with the one that it was forked from."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for stream in (0, 1):
        os.dup2(content, stream)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
