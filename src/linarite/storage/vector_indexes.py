"""The contents of vector stores: of each store one SQLite file, with its words and vectors.

A store's file is all that there is of it, so that a purge is the removal of a file, and words that
one account uses often say nothing about another's. Connections live for one act each: opening one
takes a fifth of a millisecond, and nothing has to be closed when a store goes. Writes that wait for
each other go together: one transaction, one wait for the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from linarite.domain.unbroken import cancel_later, unbroken
from linarite.storage.sealed_sqlite import SEALING, is_sealed, open_sealed, seal_file, told
from linarite.storage.sqlite_file import private_folder
from linarite.storage.vector_index import SqliteVectorIndex
from linarite.storage.vector_schema import SCHEMA, VERSION
from linarite.storage.vector_segments import migrate_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from linarite.domain.vector_store import FileKey

ResultT = TypeVar("ResultT")

SUFFIX = ".vectors"
MAKING = ".making"
SIDE_FILES = ("", "-wal", "-shm")
BUSY_S = 30.0
TOGETHER_MAX = 64
"""writes in a transaction"""


class FolderVectorIndexes:
    """`VectorIndexes` in a folder that only its owner may look into."""

    def __init__(self, folder: Path) -> None:
        """The folder is made with the first store."""
        self._folder = folder
        self._writes: dict[str, _Writes] = {}

    def of(self, name: str, key: FileKey | None = None) -> SqliteVectorIndex:
        """See VectorIndexes."""
        return SqliteVectorIndex(_IndexFile(self._path(name), self._writes_of(name), key))

    async def seal(self, name: str, key: bytes) -> None:
        """See VectorIndexes."""

        def act() -> None:
            path = self._path(name)
            with told(path.name):
                if path.exists() and not is_sealed(path):
                    seal_file(path, key, BUSY_S)

        async with self._writes_of(name).turn:
            await unbroken(asyncio.to_thread(act))

    async def remove(self, name: str) -> None:
        """See VectorIndexes."""
        async with self._writes_of(name).turn:
            await unbroken(asyncio.to_thread(_unlink_all, self._path(name)))
        self._writes.pop(name, None)

    async def names(self) -> list[str]:
        """See VectorIndexes."""
        return await asyncio.to_thread(
            lambda: sorted(each.stem for each in self._folder.glob(f"*{SUFFIX}"))
        )

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{SUFFIX}"

    def _writes_of(self, name: str) -> _Writes:
        return self._writes.setdefault(name, _Writes())


class _Act(NamedTuple):
    """Something that shall be done to a file in a transaction."""

    do: Callable[[sqlite3.Connection], Any]
    makes: bool
    """the file, where nothing was ever written"""
    absent: Any = None
    """the result where there is none"""


class _Write(NamedTuple):
    """One that waits for its turn."""

    file: _Opened
    act: _Act
    done: asyncio.Future[Any]


class _Writes:
    """Those of one file."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._waiting: list[_Write] = []

    async def write(self, file: _Opened, act: _Act) -> Any:  # noqa: ANN401 - what it results in
        """Do something after whoever writes already, together with what waits as well.

        Each has its own result; where one fails, the others are done without it.
        """
        mine = _Write(file, act, asyncio.get_running_loop().create_future())
        self._waiting.append(mine)
        try:
            async with self.turn:
                while not mine.done.done():
                    await unbroken(self._write_some(file))
        except asyncio.CancelledError:
            if mine in self._waiting:
                self._waiting.remove(mine)
                raise
            # Somebody else writes it, or has: whoever is cancelled has to know what became of it.
            await unbroken(_end_of(mine.done))
            cancel_later()
        return mine.done.result()

    async def _write_some(self, file: _Opened) -> None:
        some = [each for each in self._waiting if each.file == file][:TOGETHER_MAX]
        self._waiting = [each for each in self._waiting if each not in some]
        try:
            results = await asyncio.to_thread(file.write, [each.act for each in some])
        except BaseException:  # the server ends
            for each in some:
                each.done.cancel()
            raise
        for each, (result, problem) in zip(some, results, strict=True):
            if problem is None:
                each.done.set_result(result)
            else:
                each.done.set_exception(problem)


async def _end_of(done: asyncio.Future[Any]) -> None:
    await asyncio.wait((done,))


class _IndexFile:
    """`IndexFile`: a file that is made with the first thing that is written to it."""

    def __init__(self, path: Path, writes: _Writes, key: FileKey | None) -> None:
        self._path = path
        self._writes = writes
        self._key = key

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Do something in one transaction, after whoever writes already."""
        return await self._writes.write(await self._opened(), _Act(act, makes=True))

    async def change(
        self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT
    ) -> ResultT:
        """The same; `absent`, and nothing made, where nothing was ever written."""
        opened = await self._opened()
        return await self._writes.write(opened, _Act(act, makes=False, absent=absent))

    async def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """Read as of one moment; `absent` where nothing was ever written."""
        opened = await self._opened()
        return await asyncio.to_thread(opened.read, act, absent)

    async def _opened(self) -> _Opened:
        if self._key is None:
            return _Opened(self._path, None, either=False)
        return _Opened(self._path, await self._key.read(), either=self._key.being_sealed)


class _Opened(NamedTuple):
    """The file in a thread, with its key at hand; None for one in the clear."""

    path: Path
    key: bytes | None
    either: bool
    """it may still lie in the clear"""

    def write(self, acts: Sequence[_Act]) -> list[tuple[Any, Exception | None]]:
        """Of each its result, or why there is none: all in one transaction, or else each in one."""
        try:
            return [(result, None) for result in self._together(acts)]
        except Exception as problem:  # noqa: BLE001 - it is told whoever asked for it
            if len(acts) == 1:
                return [(None, problem)]
        return [result for each in acts for result in self.write([each])]

    def _together(self, acts: Sequence[_Act]) -> list[Any]:
        with told(self.path.name):
            if not self.path.exists() and not any(each.makes for each in acts):
                return [each.absent for each in acts]
            self._create()
            with closing(self._open()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    results = [each.do(connection) for each in acts]
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
                return results

    def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """As of one moment."""
        with told(self.path.name):
            if not self.path.exists():
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
        key = self.key
        if key is None or (self.either and self.path.exists() and not is_sealed(self.path)):
            return sqlite3.connect(self.path, isolation_level=None, timeout=BUSY_S)
        return open_sealed(self.path, key, BUSY_S)

    def _create(self) -> None:
        """A file under another name until its schema is there: nobody ever sees half of it."""
        if self.path.exists():
            return
        private_folder(self.path.parent)
        making = self.path.with_suffix(MAKING)
        _unlink(making)
        making.touch(mode=0o600)
        with closing(self._created(making)) as connection:
            connection.executescript(SCHEMA)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")
        making.rename(self.path)

    def _created(self, making: Path) -> sqlite3.Connection:
        if self.key is None:
            return sqlite3.connect(making, isolation_level=None)
        return open_sealed(making, self.key, BUSY_S)


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
