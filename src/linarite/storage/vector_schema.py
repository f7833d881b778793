"""The tables of a vector store's file."""

from __future__ import annotations

VERSION = 2

SEGMENTS = """
-- Apart from the texts, so that a search reads nothing else. The numbers are those of Segment.
CREATE TABLE segments (
    first INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    file INTEGER NOT NULL,
    vectors BLOB NOT NULL,
    terms BLOB NOT NULL,
    places BLOB NOT NULL,
    counts BLOB NOT NULL,
    lengths BLOB NOT NULL
)"""
SEGMENTS_BY_FILE = "CREATE INDEX segments_by_file ON segments (file)"

SCHEMA = f"""
BEGIN;
CREATE TABLE files (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,  -- or 'removed': a list may still be followed from there
    usage_bytes INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX files_by_status ON files (status, row);
CREATE TABLE batches (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, cancelled INTEGER NOT NULL);
CREATE TABLE batch_files (
    batch_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    PRIMARY KEY (batch_id, file_id)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file INTEGER NOT NULL REFERENCES files (row),
    start INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX chunks_by_file ON chunks (file);
{SEGMENTS};
{SEGMENTS_BY_FILE};
CREATE TABLE counters (removals INTEGER NOT NULL);
INSERT INTO counters VALUES (0);
COMMIT;
"""  # noqa: S608 - constants

ONE_UNTIL_TWO = (
    "DROP TRIGGER chunk_added",
    "DROP TRIGGER chunk_removed",
    "DROP TABLE words",
    "DROP TABLE vectors",
)
"""what version 1 had instead: a row for each vector, and an index of SQLite's own for the words"""
