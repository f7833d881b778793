"""Our commands as processes: on a terminal of their own, or with pipes."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Self

from tests.serving import clean_environment

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

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
    """Run a command without a terminal, to its end."""
    return subprocess.run(
        [*LINARITE, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
        cwd=home,
        env=environment(home, **more),
    )


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
