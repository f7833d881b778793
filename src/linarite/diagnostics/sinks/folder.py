"""A folder in the layout of Azure's storage accounts: a line of JSON for each record."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from linarite.diagnostics.sinks.files import files_of
from linarite.diagnostics.sinks.sink import USUAL_PAUSE_S, SinkDown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.domain.diagnostics import DiagnosticRecord

FILE_MODE = 0o600
FOLDER_MODE = 0o700


class FolderSink:
    """Appends, and returns when the disk has it."""

    pause_s = USUAL_PAUSE_S

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, records: Sequence[DiagnosticRecord]) -> int:
        """Append each record to the file of its category and hour."""
        try:
            for place, lines in files_of(records).items():
                await asyncio.to_thread(_append, self._folder / place, b"".join(lines))
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
            raise SinkDown(why, f"{why}: {problem.filename}") from None
        return 0

    async def close(self) -> None:
        """Return: no file stays open."""


def _append(file: Path, lines: bytes) -> None:
    is_new = not file.exists()
    if is_new:
        _make_folder(file.parent)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, FILE_MODE)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            # A server died in the middle of a line, whose record comes again whole.
            lines = b"\n" + lines
        left = memoryview(lines)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(file.parent)


def _make_folder(folder: Path) -> None:
    """Make what is missing of it, each with a mode for its owner alone, and on disk."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for each in reversed(missing):
        each.mkdir(FOLDER_MODE, exist_ok=True)
        _sync_folder(each.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
