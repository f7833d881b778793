"""What lies in one vector store, in its SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from linarite.domain.vector_store import (
    FileBatch,
    FileCounts,
    FoundChunk,
    Segments,
    StoreFile,
)
from linarite.storage.vector_segments import keep_chunks, segments_after

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from linarite.domain.vector_store import (
        Attributes,
        Chunk,
        FilePage,
        FileProblem,
        NewStoreFile,
    )

ResultT = TypeVar("ResultT")

REMOVED = "removed"
THERE = "status != 'removed'"
NAMED_AT_ONCE = 500
"""ids in one question: SQLite bounds the values of a statement"""

encode, decode = msgspec.json.encode, msgspec.json.decode


class IndexFile(Protocol):
    """The file itself."""

    async def write(self, act: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Do something in one transaction."""
        ...

    async def change(
        self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT
    ) -> ResultT:
        """The same; `absent`, and nothing made, where there is no file."""
        ...

    async def read(self, act: Callable[[sqlite3.Connection], ResultT], absent: ResultT) -> ResultT:
        """Read as of one moment; `absent` where there is no file."""
        ...


class SqliteVectorIndex:
    """`VectorIndex`."""

    def __init__(self, file: IndexFile) -> None:
        self._file = file

    async def add(
        self, files: Sequence[NewStoreFile], batch: str, created_at: int, most: int
    ) -> bool:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> bool:
            ids = list(dict.fromkeys(each.file_id for each in files))
            known = {row[0] for row in _those(db, "SELECT file_id, status FROM files", ids)}
            there = db.execute(f"SELECT count(*) FROM files WHERE {THERE}").fetchone()[0]  # noqa: S608 - a constant
            if there + len(set(ids) - known) > most:
                return False
            for each in files:
                _come(db, each, created_at)
            if batch:
                db.execute("INSERT INTO batches VALUES (?, ?, 0)", (batch, created_at))
                db.executemany(
                    "INSERT INTO batch_files VALUES (?, ?)", [(batch, each) for each in ids]
                )
            return True

        return await self._file.write(act)

    async def files(self, page: FilePage) -> list[StoreFile]:
        """See VectorIndex."""
        anchor, forward = page.after or page.before, page.ascending
        if page.before:  # the part that ends there: read backwards, then turned
            forward = not forward
        wheres, values = [THERE], list[Any]()
        if page.status:
            wheres.append("status = ?")
            values.append(page.status)
        if page.batch:
            wheres.append("file_id IN (SELECT file_id FROM batch_files WHERE batch_id = ?)")
            values.append(page.batch)
        if anchor:
            wheres.append(
                f"row {'>' if forward else '<'} (SELECT row FROM files WHERE file_id = ?)"  # noqa: S608 - as below
            )
            values.append(anchor)
        query = (
            f"SELECT body, status, usage_bytes, attributes FROM files WHERE {' AND '.join(wheres)} "  # noqa: S608 - constants
            f"ORDER BY row {'ASC' if forward else 'DESC'} LIMIT ?"
        )
        found = await self._file.read(
            lambda db: db.execute(query, (*values, page.limit)).fetchall(), []
        )
        return [_file(row) for row in (reversed(found) if page.before else found)]

    async def file(self, file_id: str) -> StoreFile | None:
        """See VectorIndex."""
        query = (
            f"SELECT body, status, usage_bytes, attributes FROM files WHERE file_id = ? AND {THERE}"  # noqa: S608 - a constant
        )
        row = await self._file.read(lambda db: db.execute(query, (file_id,)).fetchone(), None)
        return _file(row) if row is not None else None

    async def settle(
        self, file_id: str, chunks: Sequence[Chunk], problem: FileProblem | None = None
    ) -> bool:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> bool:
            coming = db.execute(
                "SELECT row, body FROM files WHERE file_id = ? AND status = 'in_progress'",
                (file_id,),
            ).fetchone()
            if coming is None:
                return False
            row, body = coming
            if problem is not None:
                body = encode(decode(body) | {"problem": problem}).decode()
            usage = sum(
                len(each.text.encode("utf-8", "replace")) + len(each.vector) for each in chunks
            )
            db.execute(
                "UPDATE files SET status = ?, usage_bytes = ?, body = ? WHERE row = ?",
                ("completed" if problem is None else "failed", usage, body, row),
            )
            keep_chunks(db, row, chunks)
            return True

        return await self._file.change(act, absent=False)

    async def set_attributes(self, file_id: str, attributes: Attributes) -> None:
        """See VectorIndex."""
        told = encode(attributes).decode()
        await self._file.change(
            lambda db: (
                db.execute(
                    f"UPDATE files SET attributes = ? WHERE file_id = ? AND {THERE}",  # noqa: S608 - a constant
                    (told, file_id),
                ).rowcount
            ),
            0,
        )

    async def remove(self, file_id: str) -> bool:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> bool:
            found = db.execute(
                f"SELECT row FROM files WHERE file_id = ? AND {THERE}",  # noqa: S608 - a constant
                (file_id,),
            ).fetchone()
            if found is None:
                return False
            _empty(db, found[0])
            db.execute(
                "UPDATE files SET status = ?, usage_bytes = 0, attributes = '{}', body = '' "
                "WHERE row = ?",
                (REMOVED, found[0]),
            )
            return True

        return await self._file.change(act, absent=False)

    async def text(self, file_id: str) -> str:
        """See VectorIndex."""
        query = (
            "SELECT start, text FROM chunks WHERE file = (SELECT row FROM files WHERE file_id = ?) "
            "ORDER BY start"
        )
        whole: list[str] = []
        at = 0
        for start, text in await self._file.read(
            lambda db: db.execute(query, (file_id,)).fetchall(), []
        ):
            end = start + len(text)
            if end > at:
                whole.append(text[max(0, at - start) :])
                at = end
        return "".join(whole)

    async def batch(self, batch_id: str) -> FileBatch | None:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> FileBatch | None:
            found = db.execute(
                "SELECT created_at, cancelled FROM batches WHERE id = ?", (batch_id,)
            ).fetchone()
            if found is None:
                return None
            rows = db.execute(
                f"SELECT status, count(*) FROM files WHERE {THERE} AND file_id IN "  # noqa: S608 - a constant
                "(SELECT file_id FROM batch_files WHERE batch_id = ?) GROUP BY status",
                (batch_id,),
            )
            return FileBatch(batch_id, found[0], bool(found[1]), _counts(dict(rows)))

        return await self._file.read(act, None)

    async def cancel_batch(self, batch_id: str) -> None:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> None:
            db.execute("UPDATE batches SET cancelled = 1 WHERE id = ?", (batch_id,))
            db.execute(
                "UPDATE files SET status = 'cancelled' WHERE status = 'in_progress' AND file_id IN "
                "(SELECT file_id FROM batch_files WHERE batch_id = ?)",
                (batch_id,),
            )

        await self._file.change(act, absent=None)

    async def summary(self) -> tuple[FileCounts, int]:
        """See VectorIndex."""
        query = (
            f"SELECT status, count(*), sum(usage_bytes) FROM files WHERE {THERE} GROUP BY status"  # noqa: S608 - a constant
        )
        rows = await self._file.read(lambda db: db.execute(query).fetchall(), [])
        return _counts({row[0]: row[1] for row in rows}), sum(row[2] for row in rows)

    async def attributes(self) -> dict[int, Attributes]:
        """See VectorIndex."""
        query = "SELECT row, attributes FROM files WHERE status = 'completed'"
        # Decoded where it is read: there may be thousands of files, and others wait here.
        return await self._file.read(
            lambda db: {row: decode(told) for row, told in db.execute(query)}, {}
        )

    async def segments(self, after: int, removals: int, limit: int) -> Segments:
        """See VectorIndex."""

        def act(db: sqlite3.Connection) -> Segments:
            (now,) = db.execute("SELECT removals FROM counters").fetchone()
            return Segments(now, segments_after(db, after if now == removals else 0, limit))

        return await self._file.read(act, Segments(0, []))

    async def chunks(self, ids: Sequence[int]) -> list[FoundChunk]:
        """See VectorIndex."""
        query = (
            "SELECT chunks.id, files.file_id, files.body, files.attributes, chunks.text "
            "FROM chunks JOIN files ON files.row = chunks.file WHERE chunks.id = ?"
        )

        def act(db: sqlite3.Connection) -> list[FoundChunk]:
            rows = [row for each in ids for row in db.execute(query, (each,))]
            return [
                FoundChunk(row[0], row[1], decode(row[2])["filename"], decode(row[3]), row[4])
                for row in rows
            ]

        return await self._file.read(act, [])


def _come(db: sqlite3.Connection, new: NewStoreFile, created_at: int) -> None:
    found = db.execute("SELECT row, status FROM files WHERE file_id = ?", (new.file_id,)).fetchone()
    if found is not None:
        if found[1] in {"in_progress", "completed"}:
            return
        db.execute("DELETE FROM files WHERE row = ?", (found[0],))
    body = decode(encode(new)) | {"created_at": created_at}
    attributes = encode(body.pop("attributes", {})).decode()
    db.execute(
        "INSERT INTO files (file_id, status, usage_bytes, attributes, body) "
        "VALUES (?, 'in_progress', 0, ?, ?)",
        (new.file_id, attributes, encode(body).decode()),
    )


def _empty(db: sqlite3.Connection, file: int) -> None:
    db.execute("DELETE FROM segments WHERE file = ?", (file,))
    if db.execute("DELETE FROM chunks WHERE file = ?", (file,)).rowcount:
        db.execute("UPDATE counters SET removals = removals + 1")


def _those(db: sqlite3.Connection, query: str, ids: list[str]) -> list[tuple[Any, ...]]:
    """Rows of files that are there, of many ids."""
    found: list[tuple[Any, ...]] = []
    for at in range(0, len(ids), NAMED_AT_ONCE):
        part = ids[at : at + NAMED_AT_ONCE]
        marks = ", ".join("?" * len(part))
        found += db.execute(f"{query} WHERE file_id IN ({marks}) AND {THERE}", part)
    return found


def _file(row: tuple[str, str, int, str]) -> StoreFile:
    body, status, usage_bytes, attributes = row
    return msgspec.convert(
        decode(body)
        | {"status": status, "usage_bytes": usage_bytes, "attributes": decode(attributes)},
        StoreFile,
    )


def _counts(by_status: dict[str, int]) -> FileCounts:
    return FileCounts(
        in_progress=by_status.get("in_progress", 0),
        completed=by_status.get("completed", 0),
        failed=by_status.get("failed", 0),
        cancelled=by_status.get("cancelled", 0),
        total=sum(by_status.values()),
    )
