"""Tables of `metrics.db`: metrics as Azure Monitor has them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

from linarite.storage.tables.column_types import ID_KEY, ROW_NUMBER

METRICS = MetaData()

metric_series = Table(
    "metric_series",
    METRICS,
    Column("id", ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("account_key", ID_KEY, nullable=False),
    Column("body", Text, nullable=False, unique=True),
)
"""combinations of dimensions; `body` is a `Series`"""

metric_grains = Table(
    "metric_grains",
    METRICS,
    Column("span_s", Integer, primary_key=True),
    Column("account_key", ID_KEY, primary_key=True),
    Column("at_s", BigInteger, primary_key=True),
    Column("series_id", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    Index("metric_grains_by_time", "span_s", "at_s"),
    sqlite_with_rowid=False,
)
"""a series in a minute, or an hour; `body` is a `Tally`"""
