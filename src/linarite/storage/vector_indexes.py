"""The contents of vector stores: of each store one SQLite file, with its words and vectors.

A store's file is all that there is of it, so that a purge is the removal of a file, and words that
one account uses often say nothing about another's. Connections live for one act each: opening one
takes a fifth of a millisecond, and nothing has to be closed when a store goes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from linarite.domain.unbroken import unbroken
from linarite.storage.sealed_sqlite import SEALING, is_sealed, open_sealed, seal_file, told
from linarite.storage.sqlite_file import private_folder
from linarite.storage.vector_index import SqliteVectorIndex
from linarite.storage.vector_schema import SCHEMA, VERSION
from linarite.storage.vector_segments import migrate_segments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.domain.vector_store import FileKey

ResultT = TypeVar("ResultT")

SUFFIX = ".vectors"
MAKING = ".making"
SIDE_FILES = ("", "-wal", "-shm")
BUSY_S = 30.0


class FolderVectorIndexes:
    """`VectorIndexes` in a folder that only its owner may look into."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first store."""
        self._folder = folder
        self._turns: dict[str, asyncio.Lock] = {}

    def of(self, name: str, key: FileKey | None = None) -> SqliteVectorIndex:
        """See VectorIndexes."""
        return SqliteVectorIndex(_IndexFile(self._path(name), self._turn(name), key))

    async def seal(self, name: str, key: bytes) -> None:
        """See VectorIndexes."""

        def act() -> None:
            path = self._path(name)
            with told(path.name):
                if path.exists() and not is_sealed(path):
                    seal_file(path, key, BUSY_S)

        async with self._turn(name):
            await unbroken(asyncio.to_thread(act))

    async def remove(self, name: str) -> None:
        """See VectorIndexes."""
        async with self._turn(name):
            await unbroken(asyncio.to_thread(_unlink_all, self._path(name)))
        self._turns.pop(name, None)

    async def names(self) -> list[str]:
        """See VectorIndexes."""
        return await asyncio.to_thread(
            lambda: sorted(each.stem for each in self._folder.glob(f"*{SUFFIX}"))
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())


class _IndexFile:
    """`IndexFile`: a file that is made with the first thing that is written to it."""

    def __init__(self, path: Path, turn: asyncio.Lock, key: FileKey | None) -> None:
        self._path = path
        self._turn = turn
        self._key = key

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Do something in one transaction, after whoever writes already."""
        async with self._turn:
            opened = await self._opened()
            return await unbroken(asyncio.to_thread(opened.write, act))

    async def change(
        self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT
    ) -> ResultT:
        """The same; `absent`, and nothing made, where nothing was ever written."""
        async with self._turn:
            if not self._path.exists():
                return absent
            opened = await self._opened()
            return await unbroken(asyncio.to_thread(opened.write, act))

    async def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """Read as of one moment; `absent` where nothing was ever written."""
        opened = await self._opened()
        return await asyncio.to_thread(opened.read, act, absent)

    async def _opened(self) -> _Opened:
        if self._key is None:
            return _Opened(self._path, None, either=False)
        return _Opened(self._path, await self._key.read(), either=self._key.being_sealed)


class _Opened:
    """The file in a thread, with its key at hand; None for one in the clear."""

    def __init__(self, path: Path, key: bytes | None, *, either: bool) -> None:
        """`either`: it may still lie in the clear."""
        self._path = path
        self._key = key
        self._either = either

    def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """In one transaction; the file is made if need be."""
        with told(self._path.name):
            self._make()
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = act(connection)
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
                return result

    def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """As of one moment."""
        with told(self._path.name):
            if not self._path.exists():
                return absent
            with closing(self._open()) as connection:
                connection.execute("BEGIN")
                return act(connection)

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
                connection.execute(f"PRAGMA {pragma}")
            _bring_up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        key = self._key
        if key is None or (self._either and self._path.exists() and not is_sealed(self._path)):
            return sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S)
        return open_sealed(self._path, key, BUSY_S)

    def _make(self) -> None:
        """A file under another name until its schema is there: nobody ever sees half of it."""
        if self._path.exists():
            return
        private_folder(self._path.parent)
        making = self._path.with_suffix(MAKING)
        _unlink(making)
        making.touch(mode=0o600)
        with closing(self._make_at(making)) as connection:
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")
        making.rename(self._path)

    def _make_at(self, making: Path) -> sqlite3.Connection:
        if self._key is None:
            return sqlite3.connect(making, isolation_level=None)
        return open_sealed(making, self._key, BUSY_S)


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    if _version(connection) == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    if _version(connection) != VERSION:  # nobody else has done so meanwhile
        migrate_segments(connection)
    connection.execute("COMMIT")
    connection.execute("VACUUM")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _unlink(path: Path) -> None:
    for side in SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


def _unlink_all(path: Path) -> None:
    for each in (path, path.with_suffix(MAKING), path.with_suffix(SEALING)):
        _unlink(each)
