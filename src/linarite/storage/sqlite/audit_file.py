"""An audit log's file, read by whoever wants to prove it: nothing is written, no server needed."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.audit import AuditEntry, Checkpoint
from linarite.domain.errors import SetupError
from linarite.storage.audit_row import found_by

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

ROWS_AT_ONCE = 1_000
REPEATED = ("at", "category", "principal_key", "resource_key", "request_key", "correlation_key")


class KeptEntry(msgspec.Struct, frozen=True):
    """An entry as it lies in the file."""

    entry: AuditEntry
    digest: bytes
    """SHA-256 of its body"""
    fault: str
    """how the columns that it is found by differ from its body; "" when they don't"""


class AuditFile:
    """An open file, as it was at one moment."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.public_key = bytes(self._one("SELECT public_key FROM audit_log"))

    def count(self) -> int:
        """How many entries there are."""
        return int(self._one("SELECT count(*) FROM audit_entries"))

    def checkpoints(self) -> list[Checkpoint]:
        """All of them, in the order in which they were made."""
        rows = self._connection.execute(
            "SELECT seq, hash, at, kind, signature FROM audit_checkpoints ORDER BY id"
        )
        try:
            return [msgspec.convert(row, Checkpoint) for row in map(_checkpoint, rows)]
        except msgspec.ValidationError as problem:
            raise SetupError(f"{self.path}: a checkpoint is damaged ({problem}).") from None

    def entries(self) -> Iterator[KeptEntry]:
        """All of them, in their order. Raises SetupError when the file can't be read further."""
        columns = ", ".join(REPEATED)
        cursor = self._connection.execute(
            f"SELECT seq, body, hash, {columns} FROM audit_entries ORDER BY seq"  # noqa: S608 - names of ours
        )
        try:
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                for row in rows:
                    yield _kept(row)
        except sqlite3.Error as problem:
            raise damaged(self.path, problem) from None

    def _one(self, query: str) -> bytes | int:
        row = self._connection.execute(query).fetchone()
        if row is None:
            raise SetupError(f"{self.path} holds no audit log.")
        return row[0]


@contextmanager
def open_audit_file(path: Path) -> Generator[AuditFile]:
    """Open a file for reading alone, as it is now. Raises SetupError."""
    if not path.is_file():
        raise SetupError(
            f"There is no audit log at {path}. A server makes one in its data folder; say where "
            "by LINARITE_HOME, --home, or the file's name."
        )
    try:
        connection = _connect(path)
        try:
            connection.execute("BEGIN")
            yield AuditFile(path, connection)
        finally:
            connection.close()
    except sqlite3.Error as problem:
        raise damaged(path, problem) from None


def damaged(path: Path, problem: sqlite3.Error) -> SetupError:
    """What to say of a file that SQLite can't read."""
    return SetupError(f"{path} can't be read as an audit log: {problem}.")


def _connect(path: Path) -> sqlite3.Connection:
    place = path.absolute().as_uri()
    connection = sqlite3.connect(f"{place}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(f"{path.name}-wal").exists():
            raise
        # A read-only copy without a log beside it, for which SQLite would make one.
        return sqlite3.connect(f"{place}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return connection


def _kept(row: tuple[object, ...]) -> KeptEntry:
    seq, body, chain_hash, *repeated = row
    if not (isinstance(seq, int) and isinstance(body, bytes) and isinstance(chain_hash, bytes)):
        known = seq if isinstance(seq, int) else 0
        return KeptEntry(AuditEntry(known, b"", b""), b"", "its row holds values of other types")
    fault = ""
    try:
        said = found_by(body)
    except msgspec.MsgspecError:
        fault = "its body is no event"
    else:
        differing = [
            name for name, value in zip(REPEATED, repeated, strict=True) if said[name] != value
        ]
        if differing:
            fault = f"{', '.join(differing)} say something else than its body: changed"
    return KeptEntry(AuditEntry(seq, body, chain_hash), hashlib.sha256(body).digest(), fault)


def _checkpoint(row: tuple[object, ...]) -> dict[str, object]:
    return dict(zip(("seq", "hash", "at", "kind", "signature"), row, strict=True))
