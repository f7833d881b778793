"""Types of columns that tables of several databases have."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, Text

ID_KEY = Text().with_variant(Text(collation="C"), "postgresql")
"""ids are compared and ordered byte by byte, whatever the database's language setting"""

ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")
"""given by the database: of SQLite's integers alone it gives any"""
