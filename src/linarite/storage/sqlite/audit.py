"""The audit log in `audit.db`, a file of its own: entries, checkpoints, and no way to change them.

`synchronous = FULL`: what was appended has reached the disk. One transaction an append; whoever
appends gathers what comes together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, func, insert, or_, select

from linarite.domain.audit import CATEGORIES, AuditEntry, AuditTail, Checkpoint
from linarite.domain.errors import ServiceUnavailable, SetupError
from linarite.storage.audit_row import row_of
from linarite.storage.migrate import AUDIT_HISTORY
from linarite.storage.resource_id import id_key, range_under
from linarite.storage.sqlite.connections import IMMEDIATE, sqlite_engine, told_as_unavailable
from linarite.storage.sqlite_file import prepare, private_folder
from linarite.storage.tables.audit import audit_checkpoints, audit_entries, audit_log

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Select

    from linarite.domain.audit import AuditQuery

AUDIT_FILE = "audit.db"
ROWS_AT_ONCE = 200
"""rows of one statement: SQLite counts its parameters"""
PRUNE_ROWS = 1_000

ENTRY = (audit_entries.c.seq, audit_entries.c.body, audit_entries.c.hash)
CHECKPOINT = (
    audit_checkpoints.c.seq,
    audit_checkpoints.c.hash,
    audit_checkpoints.c.at,
    audit_checkpoints.c.kind,
    audit_checkpoints.c.signature,
)


async def open_audit_store(folder: Path, public_key: bytes) -> SqliteAuditStore:
    """Make or migrate `audit.db` in the folder. Open the folder's `Database` first: it locks.

    Raises SetupError when the file is damaged, too new, or signed by another key.
    """
    private_folder(folder)
    path = folder / AUDIT_FILE
    prepare(path, AUDIT_HISTORY)
    store = SqliteAuditStore(path)
    try:
        await store.belong_to(public_key)
    except BaseException:
        await store.close()
        raise
    return store


class SqliteAuditStore:
    """`AuditStore` on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.stat().st_ino
        self._reader = sqlite_engine(
            path, busy_timeout_s=5.0, pragmas=("synchronous = FULL", "recursive_triggers = ON")
        )
        self._writer = self._reader.execution_options(**IMMEDIATE)

    async def belong_to(self, public_key: bytes) -> None:
        """Write down whose log this is. Raises SetupError when it is another key's."""
        with told_as_unavailable(self._path):
            async with self._writer.begin() as connection:
                known = await connection.scalar(select(audit_log.c.public_key))
                if known is None:
                    await connection.execute(insert(audit_log).values(id=1, public_key=public_key))
        if known not in (None, public_key):
            raise SetupError(
                f"{self._path} is signed by another key than this data folder's. Put the audit.db "
                "back that belongs here, or move this one away: a new log begins then, and the "
                "old one can still be verified by `linarite audit verify`."
            )

    async def append(self, entries: Sequence[AuditEntry], checkpoint: Checkpoint | None) -> None:
        """Keep all of it or nothing; it is on disk when this returns."""
        rows = [row_of(entry) for entry in entries]
        self._require_file()
        with told_as_unavailable(self._path):
            async with self._writer.begin() as connection:
                for start in range(0, len(rows), ROWS_AT_ONCE):
                    part = rows[start : start + ROWS_AT_ONCE]
                    await connection.execute(insert(audit_entries).values(part))
                if checkpoint is not None:
                    await connection.execute(
                        insert(audit_checkpoints).values(msgspec.structs.asdict(checkpoint))
                    )

    async def tail(self) -> AuditTail:
        """The end of the log."""
        last = select(*CHECKPOINT).order_by(audit_checkpoints.c.seq.desc()).limit(1)
        with told_as_unavailable(self._path):
            async with self._reader.connect() as connection:
                row = (await connection.execute(last)).one_or_none()
                checkpoint = Checkpoint(*row) if row is not None else None
                after = checkpoint.seq if checkpoint is not None else 0
                later = select(*ENTRY).where(audit_entries.c.seq > after)
                rows = await connection.execute(later.order_by(audit_entries.c.seq))
                return AuditTail(checkpoint, [AuditEntry(*each) for each in rows])

    async def read(self, query: AuditQuery) -> list[AuditEntry]:
        """Those that match, in the query's order."""
        with told_as_unavailable(self._path):
            async with self._reader.connect() as connection:
                rows = await connection.execute(_matching(query))
                return [AuditEntry(*each) for each in rows]

    async def before(self, at: str) -> AuditEntry | None:
        """The newest entry of all that lie before the first one that is as young as `at`."""
        columns = audit_entries.c
        with told_as_unavailable(self._path):
            async with self._reader.connect() as connection:
                young = await connection.scalar(
                    select(columns.seq).where(columns.at >= at).order_by(columns.seq).limit(1)
                )
                older = select(*ENTRY).order_by(columns.seq.desc()).limit(1)
                if young is not None:
                    older = older.where(columns.seq < young)
                row = (await connection.execute(older)).one_or_none()
                return AuditEntry(*row) if row is not None else None

    async def prune(self, checkpoint: Checkpoint) -> int:
        """Remove all entries up to a checkpoint's, which it keeps; how many there were.

        In steps: whoever appends meanwhile waits for one of them alone.
        """
        await self.append([], checkpoint)
        seq = audit_entries.c.seq
        gone = 0
        with told_as_unavailable(self._path):
            async with self._writer.begin() as connection:
                await connection.execute(
                    delete(audit_checkpoints).where(audit_checkpoints.c.seq < checkpoint.seq)
                )
            while True:
                async with self._writer.begin() as connection:
                    oldest = await connection.scalar(select(func.min(seq)))
                    if oldest is None or oldest > checkpoint.seq:
                        return gone
                    end = min(oldest + PRUNE_ROWS - 1, checkpoint.seq)
                    removed = await connection.execute(delete(audit_entries).where(seq <= end))
                    gone += removed.rowcount

    async def close(self) -> None:
        """Let go of the file."""
        await self._reader.dispose()

    def _require_file(self) -> None:
        """What is written to a file without a name is lost. Raises ServiceUnavailable."""
        try:
            there = self._path.stat().st_ino
        except OSError:
            there = 0
        if there != self._file:
            raise ServiceUnavailable(f"{self._path.name} is gone; put it back and start again")


def _matching(query: AuditQuery) -> Select[Any, Any, Any]:
    columns = audit_entries.c
    wanted: Select[Any, Any, Any] = select(*ENTRY)
    if query.since:
        wanted = wanted.where(columns.at >= query.since)
    if query.until:
        wanted = wanted.where(columns.at <= query.until)
    if not query.categories.issuperset(CATEGORIES):
        wanted = wanted.where(columns.category.in_(query.categories))
    if query.under:
        first, end = range_under(query.under)
        below = (columns.resource_key >= first) & (columns.resource_key < end)
        wanted = wanted.where(or_(columns.resource_key == id_key(query.under), below))
    for column, value in (
        (columns.category, query.category),
        (columns.principal_key, query.principal.lower()),
        (columns.request_key, query.request_id.lower()),
        (columns.correlation_key, query.correlation_id.lower()),
    ):
        if value:
            wanted = wanted.where(column == value)
    if query.before_seq:
        wanted = wanted.where(columns.seq < query.before_seq)
    if query.after_seq is not None:
        later = wanted.where(columns.seq > query.after_seq)
        return later.order_by(columns.seq).limit(query.limit)
    return wanted.order_by(columns.seq.desc()).limit(query.limit)
