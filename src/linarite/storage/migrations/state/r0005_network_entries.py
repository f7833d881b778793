"""What the network's rules have refused or let pass."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Ids are compared byte by byte, whatever the database's language setting.
ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "network_entries",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("account_key", ID_KEY, nullable=False),
        sa.Column("perimeter_key", ID_KEY, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("network_entries_by_place", "place"),
        sa.Index("network_entries_by_account", "account_key", "place"),
    )
