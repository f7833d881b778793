"""Durable jobs, beside the resources that they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Ids are compared byte by byte, whatever the database's language setting.
ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("resource_key", ID_KEY, nullable=False),
        sa.Column("scope_key", ID_KEY, nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("jobs_by_resource", "resource_key", "started_at"),
        sa.Index("jobs_by_state", "running", "ended_at"),
    )
