"""Tables of `objects.db`: what applications store."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

from linarite.storage.tables.column_types import ID_KEY

OBJECTS = MetaData()

stored_objects = Table(
    "stored_objects",
    OBJECTS,
    Column("account_key", ID_KEY, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", ID_KEY, primary_key=True),
    Column("label", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("blob", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("stored_objects_by_label", "account_key", "kind", "label", "id"),
    Index("stored_objects_by_expiry", "expires_at"),
)
"""`account_key` is lower-cased; `body` is the whole StoredObject as JSON"""

stored_sizes = Table(
    "stored_sizes",
    OBJECTS,
    Column("account_key", ID_KEY, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
)
"""triggers keep it, in the transaction that changes `stored_objects`; see its migration"""
