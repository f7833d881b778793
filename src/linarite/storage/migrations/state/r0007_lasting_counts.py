"""What was charged to buckets of days and months."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "lasting_counts",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("period", sa.Integer(), primary_key=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=False),
        sa.Index("lasting_counts_by_end", "over_at"),
    )
