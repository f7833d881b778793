"""Our commands as processes: on a terminal of their own, or with pipes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.serving import clean_environment

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0
LINARITE = [sys.executable, "-m", "linarite.main"]
ON_THIS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a person's shell would pass on, with the data in `home`."""
    unwanted = ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS", "COLUMNS", "TTY_")
    plain = {
        name: value for name, value in clean_environment().items() if not name.startswith(unwanted)
    }
    return {**plain, "LINARITE_HOME": str(home), "TERM": "xterm-256color", **more}


def linarite(
    home: Path, *arguments: str, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a command without a terminal, to its end: a fork of a process that is ready for it."""
    ready = _ready.pop() if _ready else _Forking()
    done = ready.run(home, arguments, stdin, environment(home, **more))
    _ready.append(ready)
    return done


class _Forking:
    """`python -m tests.cli.forking`, which runs one command at a time; it ends when we do."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.forking"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(ROOT),
        )

    def run(
        self, home: Path, arguments: tuple[str, ...], stdin: str, variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        given, taken = self._process.stdin, self._process.stdout
        assert given is not None
        assert taken is not None
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            wish = {"arguments": arguments, "stdin": stdin, "out": str(out), "err": str(err)}
            wish |= {"folder": str(home), "environment": variables, "within_s": int(WAIT_S)}
            given.write(json.dumps(wish) + "\n")
            given.flush()
            code = int(taken.readline())
            return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


_ready: list[_Forking] = []
"""those that run no command now: as many as there were commands at the same time"""


class Terminal:
    """A command on a terminal 100 columns wide; use it as a context manager."""

    def __init__(self, home: Path, *arguments: str, **more: str) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 100))
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_THIS_TERMINAL, *LINARITE, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=home,
            env=environment(home, **more),
        )
        os.close(theirs)
        self.raw = ""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT_S)
        os.close(self._ours)

    @property
    def shown(self) -> str:
        """What has been shown so far, without colours and cursor movements."""
        return ESCAPES.sub("", self.raw).replace("\r", "")

    def type(self, text: str) -> None:
        """Press keys; `chr(3)` is Ctrl-C, `chr(4)` Ctrl-D."""
        os.write(self._ours, text.encode())

    def enter(self, line: str) -> None:
        """Type a line at the next prompt. What is typed before it, a terminal may drop."""
        self.wait_for("> ")
        self.type(f"{line}\n")
        self.wait_for(f"{line}\n")

    def wait_for(self, text: str) -> None:
        """Wait until it is shown behind what was waited for last."""
        deadline = time.monotonic() + WAIT_S
        while text not in self.shown[self._seen :]:
            if not self._read(deadline):
                message = f"{text!r} was not shown; shown was:\n{self.shown}"
                raise AssertionError(message)
        self._seen = self.shown.index(text, self._seen) + len(text)

    def wait_for_end(self) -> int:
        """Wait until the command ends; returns its exit code."""
        deadline = time.monotonic() + WAIT_S
        while self._read(deadline):
            pass
        return self.process.wait(WAIT_S)

    def _read(self, deadline: float) -> bool:
        """Read what is there; False when the command has left the terminal, or time is up."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # what Linux says when nobody is left at the other end
            return False
        self.raw += data.decode(errors="replace")
        return bool(data)
