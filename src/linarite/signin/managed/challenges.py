"""Challenges of the Azure Arc form: who can read a file on this machine is let in.

Source: learn.microsoft.com, "Authenticate against Azure resources with Azure Arc-enabled servers".
"""

from __future__ import annotations

import asyncio
import hmac
import os
import secrets
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.signin.directory.writing import new_id
from linarite.signin.refusals import IdentityRefused

if TYPE_CHECKING:
    from collections.abc import Callable

OPEN_MAX = 100
OPEN_S = 120.0
MODE = 0o640
"""for the folder's group too: make the folder setgid for the group of those who may ask"""


class Challenges:
    """Files that wait to be read, each good once."""

    def __init__(self, folder: str, now: Callable[[], float]) -> None:
        """`now` in seconds."""
        self._folder = Path(folder)
        self._now = now
        self._open: OrderedDict[str, tuple[float, Path]] = OrderedDict()
        """secret → until when, and its file"""

    async def begin(self) -> Path:
        """Write a challenge; its file. Raises IdentityRefused where no file can be written."""
        self._tidy()
        secret = secrets.token_hex(32)
        path = self._folder / f"{new_id()}.key"
        try:
            await asyncio.to_thread(_write, path, secret)
        except OSError as problem:
            raise IdentityRefused(
                501,
                "not_supported",
                f"No challenge can be written to {self._folder} ({problem.strerror}). Make that "
                "folder writable for this server and readable for callers, or use the form of "
                "virtual machines or of App Service.",
            ) from None
        self._open[secret] = (self._now() + OPEN_S, path)
        return path

    def meet(self, presented: str) -> bool:
        """Whether a challenge was met; each is good once."""
        self._tidy()
        for secret in list(self._open):
            if hmac.compare_digest(secret.encode(), presented.encode("utf-8", "replace")):
                self._drop(secret)
                return True
        return False

    def _tidy(self) -> None:
        while self._open:
            oldest = next(iter(self._open))
            if len(self._open) < OPEN_MAX and self._now() < self._open[oldest][0]:
                return
            self._drop(oldest)

    def _drop(self, secret: str) -> None:
        _, path = self._open.pop(secret)
        with suppress(OSError):
            path.unlink()


def _write(path: Path, secret: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    try:
        os.fchmod(file, MODE)
        os.write(file, secret.encode())
    finally:
        os.close(file)
