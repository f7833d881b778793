"""Telling a person how far a long piece of work has come."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Generator

_LOOK_EVERY_S = 0.2


class Step(msgspec.Struct, frozen=True):
    """How far one piece of work is."""

    model: str
    action: str
    """what is going on: Waiting, Downloading, Checking, Copying, Converting"""
    done_bytes: int = 0
    total_bytes: int = 0
    """0 while it is unknown"""


Progress = Callable[[Step], None]


def silent(step: Step) -> None:
    """Show nothing."""


class Reporter:
    """Reports steps of one model."""

    def __init__(self, model: str, progress: Progress) -> None:
        self._model = model
        self._progress = progress
        self._total_bytes = 0

    def __call__(self, action: str, done_bytes: int = 0, total_bytes: int = 0) -> None:
        """Report; never more than the whole."""
        self._total_bytes = total_bytes
        done = min(done_bytes, total_bytes) if total_bytes else done_bytes
        self._progress(Step(self._model, action, done, total_bytes))

    @contextmanager
    def watching(self, folder: Path, part_bytes: int, done_bytes: int = 0) -> Generator[None]:
        """While a library downloads into `folder`, report how much lies there.

        `part_bytes` are to come, after `done_bytes` that came earlier; the whole is what was
        reported last. For libraries that have no way to report by themselves.
        """
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(_LOOK_EVERY_S):
                come = min(_largest_file(folder), part_bytes)
                self("Downloading", done_bytes + come, self._total_bytes)

        watcher = threading.Thread(target=look, name="download-progress", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _largest_file(folder: Path) -> int:
    largest = 0
    for inside, _, names in os.walk(folder):  # folders that vanish meanwhile are passed over
        for name in names:
            try:
                status = Path(inside, name).lstat()
            except FileNotFoundError:  # moved between listing and looking
                continue
            if stat.S_ISREG(status.st_mode):
                largest = max(largest, status.st_size)
    return largest
