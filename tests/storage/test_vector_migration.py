"""A vector store's file of an earlier version."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from linarite.domain.postings import postings_of
from linarite.storage.vector_indexes import FolderVectorIndexes

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

VERSION_1 = """
CREATE TABLE files (
    row INTEGER PRIMARY KEY AUTOINCREMENT, file_id TEXT NOT NULL UNIQUE, status TEXT NOT NULL,
    usage_bytes INTEGER NOT NULL, attributes TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE batches (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, cancelled INTEGER NOT NULL);
CREATE TABLE batch_files (
    batch_id TEXT NOT NULL, file_id TEXT NOT NULL, PRIMARY KEY (batch_id, file_id)
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, file INTEGER NOT NULL REFERENCES files (row),
    start INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX chunks_by_file ON chunks (file);
CREATE TABLE vectors (chunk INTEGER PRIMARY KEY, file INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE TABLE counters (removals INTEGER NOT NULL);
INSERT INTO counters VALUES (3);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'chunks', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""
BODY = '{"file_id":"f","filename":"f.txt","maker":{"kind":"Key","name":"key1"},"created_at":1}'


async def test_a_store_of_version_1_is_searched_like_any_other(tmp_path: Path) -> None:
    """What was in it is there, in segments that hold chunks of one file without gaps."""
    vectors = {id_: struct.pack("<2f", id_, 1) for id_ in (1, 2, 4, 5)}
    with closing(sqlite3.connect(tmp_path / "a.vectors")) as db:
        db.executescript(VERSION_1)
        for file_id in ("f", "g"):
            db.execute(
                "INSERT INTO files (file_id, status, usage_bytes, attributes, body) "
                "VALUES (?, 'completed', 1, '{}', ?)",
                (file_id, BODY),
            )
        for chunk, file in ((1, 1), (2, 1), (4, 1), (5, 2)):
            db.execute("INSERT INTO chunks VALUES (?, ?, 0, ?)", (chunk, file, f"word{chunk}"))
            db.execute("INSERT INTO vectors VALUES (?, ?, ?)", (chunk, file, vectors[chunk]))
        db.commit()
    index = FolderVectorIndexes(tmp_path).of("a")
    found = await index.segments(0, 0, 100)
    assert found.removals == 3
    assert [(each.first, each.size, each.file) for each in found.those] == [
        (1, 2, 1),
        (4, 1, 1),
        (5, 1, 2),
    ]
    assert [each.vectors for each in found.those] == [
        vectors[1] + vectors[2],
        vectors[4],
        vectors[5],
    ]
    assert found.those[0].postings == postings_of(["word1", "word2"])
    assert await index.remove("g")
    assert len((await index.segments(0, 0, 100)).those) == 2
