"""Databases whose writes survive a power cut: `linarite.db`, and those beside it.

One process at a time holds their folder.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from linarite.domain.errors import ServiceUnavailable
from linarite.domain.unbroken import unbroken
from linarite.storage.lock import FolderLock
from linarite.storage.migrate import CONTENT_HISTORY, OBJECTS_HISTORY, STATE_HISTORY
from linarite.storage.sqlite.connections import (
    IMMEDIATE,
    OUTSIDE,
    sqlite_engine,
    told_as_unavailable,
)
from linarite.storage.sqlite_file import prepare, private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

STATE_FILE = "linarite.db"
OBJECTS_FILE = "objects.db"
"""a file of its own, so that what applications store never keeps resources or keys waiting"""

CONTENT_FILE = "content.db"
"""of its own too, so that it can be kept, moved and destroyed by itself"""


def open_database(folder: Path, *, busy_timeout_s: float = 5.0) -> Database:
    """Lock the folder, make or migrate `linarite.db` in it, and open it.

    `busy_timeout_s` is how long a write waits for another program that has the file locked.
    Raises SetupError when the folder is taken or the file is damaged, foreign or too new.
    """
    private_folder(folder)
    lock = FolderLock(folder)
    try:
        prepare(folder / STATE_FILE, STATE_HISTORY)
    except BaseException:
        lock.release()
        raise
    return Database(folder / STATE_FILE, busy_timeout_s, lock)


def open_objects(folder: Path, *, busy_timeout_s: float = 5.0) -> Database:
    """Make or migrate `objects.db`. Open the folder's `linarite.db` first: it holds the lock.

    Raises SetupError when the file is damaged, foreign or too new.
    """
    prepare(folder / OBJECTS_FILE, OBJECTS_HISTORY)
    return Database(folder / OBJECTS_FILE, busy_timeout_s)


def open_content(folder: Path, *, busy_timeout_s: float = 5.0) -> Database:
    """The same for `content.db`."""
    prepare(folder / CONTENT_FILE, CONTENT_HISTORY)
    return Database(folder / CONTENT_FILE, busy_timeout_s)


class Database:
    """An open file; hand it to the adapters in `storage.sqlite`."""

    def __init__(self, path: Path, busy_timeout_s: float, lock: FolderLock | None = None) -> None:
        """`lock` is let go of when it closes."""
        self.folder = path.parent
        self._path = path
        self._lock = lock
        self._reader = sqlite_engine(
            self._path,
            busy_timeout_s=busy_timeout_s,
            pragmas=("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
        )
        self._writer = self._reader.execution_options(**IMMEDIATE)
        self._outside = self._reader.execution_options(**OUTSIDE)
        self._write_turn = asyncio.Lock()
        self._closed = False

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads. Raises ServiceUnavailable when the file can't be."""
        self._require_open()
        with told_as_unavailable(self._path):
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that is on disk when the block is left without an error.

        Writers take turns. Whoever is cancelled within the block has written nothing; whoever is
        cancelled when it is left, is so with the first await behind it: what was written is never
        in doubt. Raises ServiceUnavailable when the file can't be written; SQLAlchemy's
        IntegrityError passes through.
        """
        with told_as_unavailable(self._path):
            # Turns are taken here, because SQLite's own waiting is polling with pauses.
            async with self._write_turn:
                self._require_open()
                transaction = self._writer.begin()
                connection = await transaction.__aenter__()
                try:
                    yield connection
                except BaseException:
                    await transaction.__aexit__(*sys.exc_info())
                    raise
                await unbroken(transaction.__aexit__(None, None, None))

    async def scrub(self) -> None:
        """Empty the write-ahead log, where what was deleted may still be read.

        The file itself holds no deleted bytes (`secure_delete`). A reader at work can delay
        this; the log is emptied at the latest when the server stops.
        """
        with told_as_unavailable(self._path):
            async with self._write_turn, self._outside.connect() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Let go of the file, and of the folder if this one holds it.

        A write that has begun is waited for; who comes later is refused: the folder may be another
        server's by then.
        """
        async with self._write_turn:
            self._closed = True
            await self._reader.dispose()
        if self._lock is not None:
            self._lock.release()

    def _require_open(self) -> None:
        if self._closed:
            raise ServiceUnavailable(f"{self._path.name} is closed: the server is shutting down")
