"""Tables of `content.db`: prompts and completions that are kept."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from linarite.storage.tables.column_types import ID_KEY

CONTENT = MetaData()

content_records = Table(
    "content_records",
    CONTENT,
    Column("account_key", ID_KEY, primary_key=True),
    Column("request_id", ID_KEY, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("deployment", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sealed", Text, nullable=False),
    Index("content_records_by_age", "at"),
)
"""`account_key` is lower-cased; `size` is that of `sealed`, in bytes"""
