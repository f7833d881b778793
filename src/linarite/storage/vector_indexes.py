"""The contents of vector stores: of each store one SQLite file, with its words and vectors.

A store's file is all that there is of it, so that a purge is the removal of a file, and words that
one account uses often say nothing about another's. Connections live for one act each: opening one
takes a fifth of a millisecond, and nothing has to be closed when a store goes.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from linarite.domain.errors import ServiceUnavailable
from linarite.storage.sqlite_file import private_folder
from linarite.storage.vector_index import SqliteVectorIndex
from linarite.storage.vector_schema import SCHEMA, VERSION
from linarite.storage.vector_segments import migrate_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

ResultT = TypeVar("ResultT")

SUFFIX = ".vectors"
SIDE_FILES = ("", "-wal", "-shm")
BUSY_S = 30.0


class FolderVectorIndexes:
    """`VectorIndexes` in a folder that only its owner may look into."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first store."""
        self._folder = folder
        self._turns: dict[str, asyncio.Lock] = {}

    def of(self, name: str) -> SqliteVectorIndex:
        """See VectorIndexes."""
        return SqliteVectorIndex(_IndexFile(self._path(name), self._turn(name)))

    async def remove(self, name: str) -> None:
        """See VectorIndexes."""
        async with self._turn(name):
            await asyncio.to_thread(_unlink, self._path(name))
        self._turns.pop(name, None)

    async def names(self) -> list[str]:
        """See VectorIndexes."""
        return await asyncio.to_thread(
            lambda: sorted(each.stem for each in self._folder.glob(f"*{SUFFIX}"))
        )

    async def coming(self, name: str) -> bool:
        """See VectorIndexes."""
        counts, _ = await self.of(name).summary()
        return counts.in_progress > 0

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())


class _IndexFile:
    """`IndexFile`: a file that is made with the first thing that is written to it."""

    def __init__(self, path: Path, turn: asyncio.Lock) -> None:
        self._path = path
        self._turn = turn

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Do something in one transaction, after whoever writes already."""
        async with self._turn:
            return await _to_its_end(lambda: self._write(act))

    async def change(
        self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT
    ) -> ResultT:
        """The same; `absent`, and nothing made, where nothing was ever written."""
        async with self._turn:
            if not self._path.exists():
                return absent
            return await _to_its_end(lambda: self._write(act))

    async def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """Read as of one moment; `absent` where nothing was ever written."""
        return await asyncio.to_thread(self._read, act, absent)

    def _write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        with _told(self._path):
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

    def _read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        with _told(self._path):
            if not self._path.exists():
                return absent
            with closing(self._open()) as connection:
                connection.execute("BEGIN")
                return act(connection)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_S)
        for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        if _version(connection) != VERSION:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) != VERSION:  # nobody else has done so meanwhile
                migrate_segments(connection)
            connection.execute("COMMIT")
            connection.execute("VACUUM")
        return connection

    def _make(self) -> None:
        """A file under another name until its schema is there: nobody ever sees half of it."""
        if self._path.exists():
            return
        private_folder(self._path.parent)
        making = self._path.with_suffix(".making")
        _unlink(making)
        making.touch(mode=0o600)
        with closing(sqlite3.connect(making, isolation_level=None)) as connection:
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")
        making.rename(self._path)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _unlink(path: Path) -> None:
    for side in SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


async def _to_its_end(act: Callable[[], ResultT]) -> ResultT:
    """Run it in a thread. Cancelled, it is waited for: the next writer's turn comes after it."""
    task = asyncio.ensure_future(asyncio.to_thread(act))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise ServiceUnavailable(f"{path.name}: {error}") from error
