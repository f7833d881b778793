"""The results of running batches, each batch's in a file that only grows.

A record is one line: place, `o` or `e`, four counts of tokens, and the line of the output. What is
written belongs to the kernel, so that it outlives a killed process; of a record that was broken
off in the middle nothing is believed.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from linarite.domain.batch import Counts, Done, LineResult, added
from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.domain.unbroken import unbroken
from linarite.storage.sqlite_file import private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Sequence
    from pathlib import Path

SUFFIX = ".results"
READ_BYTES = 1024 * 1024
FIELDS = 7
FAILED, FINE = b"e", b"o"


class FolderResultLog:
    """`ResultLog` in a folder that only its owner may look into."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first log."""
        self._folder = folder
        self._open: dict[str, int] = {}
        """descriptors of the logs that are being added to"""

    async def done(self, name: str, total: int, account_id: str) -> Done:
        """See ResultLog. Raises ServiceUnavailable."""
        del account_id  # names are never used twice
        found = Done(bytearray(total), Counts(total))
        try:
            await asyncio.to_thread(self._recover, name, found)
        except OSError as problem:
            raise _unreadable(problem) from problem
        return found

    def add(self, name: str, result: LineResult) -> None:
        """See ResultLog."""
        kind = FAILED if result.failed else FINE
        record = b"%d %b %d %d %d %d %b\n" % (result.place, kind, *result.tokens, result.text)
        try:
            descriptor = self._open.get(name)
            if descriptor is None:
                descriptor = self._opened(name)
            _write_whole(descriptor, record)
        except (OSError, SetupError) as problem:
            raise ServiceUnavailable(f"a result could not be kept: {problem}", 5) from problem

    async def flush(self, name: str) -> None:
        """See ResultLog."""
        descriptor = self._open.get(name)
        if descriptor is None:
            return
        try:
            await asyncio.to_thread(os.fsync, descriptor)
        except OSError as problem:
            raise ServiceUnavailable(f"results could not be kept: {problem}", 5) from problem

    async def lines(self, name: str, account_id: str, *, failed: bool) -> AsyncIterator[bytes]:
        """See ResultLog. Raises ServiceUnavailable."""
        del account_id
        wanted = FAILED if failed else FINE
        records = self._records(name)
        try:
            while piece := await unbroken(asyncio.to_thread(_next_piece, records, wanted)):
                yield piece
        except OSError as problem:
            raise _unreadable(problem) from problem
        finally:
            records.close()

    async def remove(self, name: str) -> None:
        """See ResultLog. Raises ServiceUnavailable."""
        self._close(name)
        try:
            await asyncio.to_thread(self._path(name).unlink, missing_ok=True)
        except OSError as problem:
            raise ServiceUnavailable(f"results could not be removed: {problem}") from problem

    async def names(self) -> Sequence[str]:
        """See ResultLog."""
        if not self._folder.exists():
            return ()
        return [each.stem for each in self._folder.iterdir() if each.suffix == SUFFIX]

    def close(self) -> None:
        """Let go of all files."""
        for name in list(self._open):
            self._close(name)

    def _recover(self, name: str, found: Done) -> None:
        """Take up what is whole, and cut off what is not."""
        self._close(name)
        path = self._path(name)
        if not path.exists():
            return
        whole = 0
        for record in self._records(name):
            result = _result_in(record)
            if result is None or result.place >= len(found.places):
                break  # a power cut has spoiled it, and what came after
            whole += len(record) + 1
            found.places[result.place] = 1
            found.counts = added(found.counts, result)
        with path.open("r+b") as file:
            file.truncate(whole)
        found.size = whole

    def _records(self, name: str) -> Generator[bytes]:
        """Those that are whole, without their line breaks."""
        with suppress(FileNotFoundError), self._path(name).open("rb", READ_BYTES) as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                yield line[:-1]

    def _opened(self, name: str) -> int:
        private_folder(self._folder)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = self._open[name] = os.open(self._path(name), flags, 0o600)
        return descriptor

    def _close(self, name: str) -> None:
        descriptor = self._open.pop(name, None)
        if descriptor is not None:
            os.close(descriptor)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"


def _write_whole(descriptor: int, record: bytes) -> None:
    """All of it, or nothing: half a record would spoil the next one."""
    before = os.fstat(descriptor).st_size
    try:
        left = memoryview(record)
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        os.ftruncate(descriptor, before)
        raise


def _result_in(record: bytes) -> LineResult | None:
    try:
        place, kind, prompt, cached, answer, hidden, text = record.split(b" ", FIELDS - 1)
        tokens = int(prompt), int(cached), int(answer), int(hidden)
        return LineResult(int(place), kind == FAILED, text, tokens)
    except ValueError:
        return None


def _next_piece(records: Generator[bytes], wanted: bytes) -> bytes:
    """About a megabyte of the lines of one kind; nothing at their end."""
    lines: list[bytes] = []
    size = 0
    for record in records:
        fields = record.split(b" ", FIELDS - 1)
        if fields[1] == wanted:
            lines.append(fields[-1])
            size += len(fields[-1])
            if size >= READ_BYTES:
                break
    return b"\n".join([*lines, b""])


def _unreadable(problem: OSError) -> ServiceUnavailable:
    return ServiceUnavailable(f"results could not be read: {problem}", 5)
