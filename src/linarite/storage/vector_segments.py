"""What searches compare, in the file of a vector store: some chunks of a file in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.postings import Postings, postings_of
from linarite.domain.vector_store import SEGMENT_CHUNKS, Chunk, Segment
from linarite.storage.vector_schema import ONE_UNTIL_TWO, SEGMENTS, SEGMENTS_BY_FILE, VERSION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_ADD = "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


def keep_chunks(db: sqlite3.Connection, file: int, chunks: Sequence[Chunk]) -> None:
    """Write a file's chunks, and what searches compare of them."""
    for at in range(0, len(chunks), SEGMENT_CHUNKS):
        part = chunks[at : at + SEGMENT_CHUNKS]
        first = 0
        for each in part:  # nobody else writes meanwhile, so that their ids follow each other
            added = db.execute(
                "INSERT INTO chunks (file, start, text) VALUES (?, ?, ?)",
                (file, each.start, each.text),
            )
            first = first or int(added.lastrowid or 0)
        _add_segment(db, first, file, part)


def segments_after(db: sqlite3.Connection, after: int, limit: int) -> list[Segment]:
    """The next segments after a chunk's id, until they hold `limit` chunks."""
    found: list[Segment] = []
    query = "SELECT * FROM segments WHERE first > ? ORDER BY first"
    for first, size, file, vectors, *postings in db.execute(query, (after,)):
        found.append(Segment(first, size, file, vectors, Postings(*postings)))
        limit -= size
        if limit <= 0:
            break
    return found


def migrate_segments(db: sqlite3.Connection) -> None:
    """Bring a file of version 1 to this one. In a transaction."""
    db.execute(SEGMENTS)
    query = (
        "SELECT chunks.id, chunks.file, chunks.text, vectors.vector FROM chunks "
        "JOIN vectors ON vectors.chunk = chunks.id ORDER BY chunks.id"
    )
    first, of, part = 0, 0, list[Chunk]()
    for chunk, file, text, vector in db.execute(query):
        if part and (file != of or chunk != first + len(part) or len(part) == SEGMENT_CHUNKS):
            _add_segment(db, first, of, part)
            part = []
        if not part:
            first, of = chunk, file
        part.append(Chunk(0, text, vector))
    if part:
        _add_segment(db, first, of, part)
    for statement in (SEGMENTS_BY_FILE, *ONE_UNTIL_TWO, f"PRAGMA user_version = {VERSION}"):
        db.execute(statement)


def _add_segment(db: sqlite3.Connection, first: int, file: int, part: Sequence[Chunk]) -> None:
    words = postings_of([each.text for each in part])
    vectors = b"".join(each.vector for each in part)
    numbers = (words.terms, words.places, words.counts, words.lengths)
    db.execute(_ADD, (first, len(part), file, vectors, *numbers))
