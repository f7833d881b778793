"""`python -m linarite.vector_stores.reader MEMORY_BYTES CPU_SECONDS`: forks a reader for each file.

Its standard input is a socket. A message is a file's name with two descriptors: one for the bytes
and the text, one on which is told how the reader ended. Whoever closes that one has the reader
killed; with the socket closed everything ends. No byte of a file ever comes to this process.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

from linarite.engines.worker_process.no_network import give_up_network
from linarite.vector_stores.reader.formats import DOCUMENTS
from linarite.vector_stores.reader.one_file import Bounds, read_file

if TYPE_CHECKING:
    from types import FrameType

NAME_BYTES_MAX = 8_192
LIBRARY = "kreuzberg"
_PR_SET_PDEATHSIG = 1


class Readers:
    """Those that are at work."""

    def __init__(self, wishes: socket.socket, bounds: Bounds) -> None:
        self._wishes = wishes
        self._bounds = bounds
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
        """Until nobody wishes any more. In a new process it returns after its file."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._ended:
                    self._reap()
                elif descriptor == self._wishes.fileno():
                    if self._fork():
                        return
                else:  # nobody waits for that file any more
                    self._kill(descriptor)

    def _fork(self) -> bool:
        """True in a process whose file has been read, and here where nobody wishes any more."""
        wish, descriptors, _, _ = socket.recv_fds(self._wishes, NAME_BYTES_MAX, 2)
        if not wish:
            for each in self._told:
                os.kill(each, signal.SIGKILL)
            return True
        filename = wish.decode("utf-8", "replace")
        self._prepare(filename)
        content, told = descriptors
        parent = os.getpid()
        pid = os.fork()
        if not pid:
            _become(content, parent)
            with open(0, "rb", closefd=False) as source, open(1, "wb", closefd=False) as target:
                read_file(filename, self._bounds, source, target)
            return True
        os.close(content)
        self._told[pid] = told
        self._poll.register(told, select.POLLIN)
        return False

    def _prepare(self, filename: str) -> None:
        """Have what many readers need loaded once: by the name alone, nothing is known yet."""
        if LIBRARY not in sys.modules and PurePath(filename).suffix.lower() in DOCUMENTS:
            importlib.import_module(LIBRARY)
            gc.freeze()

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


def main() -> None:
    """Give up the network, for all that are forked as well, and fork."""
    _, memory_bytes, cpu_seconds = sys.argv
    give_up_network()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the server ends it
    gc.freeze()  # the forks' collectors need not look through all of this
    readers = Readers(socket.socket(fileno=os.dup(0)), Bounds(int(memory_bytes), int(cpu_seconds)))
    try:
        readers.run()
    except BaseException:  # noqa: BLE001 - in a fork as well: it ends at once, whatever it has
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main()
