"""The first schema: series, and their tallies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "metric_series",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("account_key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, unique=True),
    )
    op.create_table(
        "metric_grains",
        sa.Column("span_s", sa.Integer(), primary_key=True),
        sa.Column("account_key", sa.Text(), primary_key=True),
        sa.Column("at_s", sa.BigInteger(), primary_key=True),
        sa.Column("series_id", sa.BigInteger(), primary_key=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("metric_grains_by_time", "span_s", "at_s"),
        sqlite_with_rowid=False,
    )
