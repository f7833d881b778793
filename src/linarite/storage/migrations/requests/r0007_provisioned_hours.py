"""Hours of provisioned throughput: each is there once, and in the sums of its day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of hours, and a count beside the others."""
    op.create_table(
        "provisioned_hours",
        sa.Column("deployment_key", sa.Text(), primary_key=True),
        sa.Column("hour", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
    )
    op.execute("ALTER TABLE usage_days ADD COLUMN provisioned_unit_hours BIGINT NOT NULL DEFAULT 0")
