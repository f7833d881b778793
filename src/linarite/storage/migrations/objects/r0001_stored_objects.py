"""The first schema: one table for all kinds of objects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Ids are compared byte by byte, whatever the database's language setting.
ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table and what it is searched by."""
    op.create_table(
        "stored_objects",
        sa.Column("account_key", ID_KEY, primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("id", ID_KEY, primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("stored_objects_by_label", "account_key", "kind", "label", "id"),
        sa.Index("stored_objects_by_expiry", "expires_at"),
    )
