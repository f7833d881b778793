"""Bytes in a folder, through obstore, which knows object stores as well."""

from __future__ import annotations

import asyncio
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from linarite.domain.errors import ServiceUnavailable
from linarite.storage.sqlite_file import private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PIECE_BYTES = 1024 * 1024
UNFINISHED = "#1"
"""at the end of a name while its bytes arrive; the library lists and removes no such file"""


class FolderBlobs:
    """`Blobs` in a folder that only its owner may look into.

    A name is a file's only once all of it has been written, so that nobody finds half of one.
    """

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first file. Names hold letters, digits, `-` and `/`."""
        self._folder = folder

    async def write(self, name: str, pieces: AsyncIterator[bytes]) -> int:
        """See Blobs. Raises ServiceUnavailable when the disk will not have them."""
        counted = _Counted(pieces)
        try:
            await _library().put_async(self._store, name, counted, chunk_size=PIECE_BYTES)
            await asyncio.to_thread(_flush, self._folder / name)
        except Exception as problem:
            if counted.problem is not None:  # it comes back wrapped by the library
                raise counted.problem from None
            raise ServiceUnavailable(f"the file could not be kept: {problem}") from problem
        return counted.size

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """See Blobs."""
        try:
            found = await _library().get_async(self._store, name)
        except FileNotFoundError:
            raise KeyError(name) from None
        except Exception as problem:
            raise ServiceUnavailable(f"the file could not be read: {problem}") from problem
        async for piece in found.stream(min_chunk_size=PIECE_BYTES):
            yield bytes(piece)

    async def remove(self, name: str) -> None:
        """See Blobs. Raises ServiceUnavailable when the disk keeps them."""
        for each in (name, name + UNFINISHED):
            try:
                await asyncio.to_thread((self._folder / each).unlink, missing_ok=True)
            except OSError as problem:
                raise ServiceUnavailable(f"the file could not be removed: {problem}") from problem

    async def names(self) -> list[str]:
        """See Blobs; those that were being written when their server died are among them.

        Raises ServiceUnavailable when the disk will not tell them.
        """
        try:
            return await asyncio.to_thread(self._names)
        except OSError as problem:
            raise ServiceUnavailable(f"the files could not be listed: {problem}") from problem

    def _names(self) -> list[str]:
        if not self._folder.exists():
            return []  # nobody has stored anything
        found: list[str] = []
        for inside, _, files in os.walk(self._folder, onerror=_fail):
            folder = Path(inside).relative_to(self._folder)
            found += [(folder / name.removesuffix(UNFINISHED)).as_posix() for name in files]
        return found

    @cached_property
    def _store(self) -> Any:  # noqa: ANN401 - the library's store
        private_folder(self._folder)
        from obstore.store import LocalStore  # noqa: PLC0415 - see _library

        return LocalStore(prefix=self._folder)


class _Counted:
    """Pieces on their way, how much they were, and what broke them off."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self.size = 0
        self.problem: BaseException | None = None

    def __aiter__(self) -> _Counted:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await anext(self._pieces)
        except StopAsyncIteration:
            raise
        except BaseException as problem:
            self.problem = problem
            raise
        self.size += len(piece)
        return piece


def _library() -> Any:  # noqa: ANN401 - a module
    """Imported with the first use: it takes tens of milliseconds that a start has not."""
    import obstore  # noqa: PLC0415 - slow, and not needed before the first file

    return obstore


def _fail(problem: OSError) -> NoReturn:
    raise problem


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
