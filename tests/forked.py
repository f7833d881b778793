"""Processes that `tests.forking` starts, used as those of `subprocess.Popen` are."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import IO

ROOT = Path(__file__).resolve().parents[1]
START_S = 120.0
_wishing = Lock()


class Forked:
    """A server as its own process, whose exit code its parent tells."""

    def __init__(
        self, arguments: list[str], output: IO[bytes], environment: dict[str, str]
    ) -> None:
        wish = {"arguments": arguments, "folder": str(Path.cwd()), "environment": environment}
        self.returncode: int | None = None
        self._reading = Lock()
        self._told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, _wishing:
            given = [output.fileno(), theirs.fileno()]
            wishes, _ = _forking()
            socket.send_fds(wishes, [json.dumps(wish).encode()], given)
        self._told.settimeout(START_S)
        self.pid = int(self._told.recv(64))
        self._told.setblocking(False)

    def poll(self) -> int | None:
        """The exit code, once there is one."""
        return self._code_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        code = self._code_within(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"server {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """To a server that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """At once."""
        self.send_signal(signal.SIGKILL)

    def _code_within(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            select.select([self._told], [], [], timeout)
        with self._reading:
            if self.returncode is None:
                with suppress(BlockingIOError):
                    self.returncode = int(self._told.recv(64))
                    self._told.close()
            return self.returncode


@cache
def _forking() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Where `python -m tests.forking` takes wishes, and itself; it ends when we do."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
        )
    atexit.register(_end, ours, process)
    return ours, process


def _end(wishes: socket.socket, process: subprocess.Popen[bytes]) -> None:
    wishes.close()
    process.wait(START_S)
