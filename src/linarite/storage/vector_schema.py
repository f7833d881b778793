"""The tables of a vector store's file."""

from __future__ import annotations

VERSION = 1

SCHEMA = """
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
-- Apart from the texts, so that a search reads nothing else.
CREATE TABLE vectors (chunk INTEGER PRIMARY KEY, file INTEGER NOT NULL, vector BLOB NOT NULL);
CREATE TABLE counters (removals INTEGER NOT NULL);
INSERT INTO counters VALUES (0);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = 'chunks', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TRIGGER chunk_added AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER chunk_removed AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
COMMIT;
"""
