"""Connections to a SQLite file through SQLAlchemy, and what becomes of their errors."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import ref

import structlog
from sqlalchemy import URL, event
from sqlalchemy.exc import DBAPIError, IntegrityError

from linarite.domain.errors import ServiceUnavailable
from linarite.storage.sqlite.engine_for_asyncio import create_async_engine

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncEngine

POOL_SIZE = 4
"""One writer and three readers at a time; each connection is a thread."""

CURSORS = 32
"""remembered before one looks which of them are gone"""

IMMEDIATE = {"linarite_begin": "BEGIN IMMEDIATE"}
"""for writers: what the transaction has read can't change before it writes"""
OUTSIDE = {"linarite_begin": ""}
"""no transaction: what some pragmas need"""

log = structlog.get_logger(__name__)


class EndedAtOnce(sqlite3.Connection):
    """A connection that lets go of the file when it is closed, whatever is still held of it.

    SQLite keeps a closed connection, with its transaction and locks, until the last statement is
    gone. Of a task that was cancelled while it read, a statement lives on in the traceback until
    garbage is collected: nobody else could write until then.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - sqlite3.connect's
        # No WeakSet: other threads, which let go of cursors, would change it while it is read.
        self._cursors: list[ref[sqlite3.Cursor]] = []
        self._cursors_max = CURSORS
        super().__init__(*arguments, **options)

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:  # noqa: ANN401 - sqlite3's own
        """As sqlite3's."""
        made = super().cursor(factory)
        self._cursors.append(ref(made))
        if len(self._cursors) > self._cursors_max:
            self._cursors = [each for each in self._cursors if each() is not None]
            self._cursors_max = CURSORS + 2 * len(self._cursors)
        return made

    def close(self) -> None:
        """Finish every statement and go back to before the transaction."""
        for each in self._cursors:
            if (cursor := each()) is not None:
                cursor.close()
        if self.in_transaction:
            self.rollback()
        super().close()


def sqlite_engine(path: Path, *, busy_timeout_s: float, pragmas: tuple[str, ...]) -> AsyncEngine:
    """An engine whose connections carry the pragmas and begin as their options say."""
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=POOL_SIZE,
        max_overflow=0,
        # Values (sealed keys, properties) must not travel in the text of an error.
        hide_parameters=True,
        # isolation_level None: the driver must not begin or commit by itself.
        connect_args={
            "isolation_level": None,
            "timeout": busy_timeout_s,
            "factory": EndedAtOnce,
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(
        connection: Connection,
    ) -> None:
        statement: str = connection.get_execution_options().get("linarite_begin", "BEGIN")
        if statement:
            connection.exec_driver_sql(statement)

    return engine


@contextmanager
def told_as_unavailable(path: Path) -> Generator[None]:
    """A full disk or a locked file is the caller's 503, and a person's line in the log.

    IntegrityError passes through: it answers a question the adapter has asked.
    """
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        log.error("database failed", file=path.name, reason=str(error.orig))  # noqa: TRY400 - the traceback is SQLAlchemy's inside
        raise ServiceUnavailable(f"{path.name}: {error.orig}") from error
