"""Tables of `audit.db`: the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from linarite.storage.tables.column_types import ID_KEY, ROW_NUMBER

AUDIT = MetaData()

audit_entries = Table(
    "audit_entries",
    AUDIT,
    Column("seq", ROW_NUMBER, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("principal_key", Text, nullable=False),
    Column("resource_key", ID_KEY, nullable=False),
    Column("request_key", Text, nullable=False),
    Column("correlation_key", Text, nullable=False),
    Index("audit_entries_by_time", "at"),
    Index("audit_entries_by_request", "request_key"),
)
"""what follows `body` repeats what it says, to be found by; keys are lower-cased"""

audit_checkpoints = Table(
    "audit_checkpoints",
    AUDIT,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Index("audit_checkpoints_by_seq", "seq"),
)
"""signed statements, in the order in which they were made"""

audit_log = Table(
    "audit_log",
    AUDIT,
    Column("id", Integer, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
)
"""one row: whose log it is"""
