"""Keys of single applications: digests, and when each was used last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Ids are compared byte by byte, whatever the database's language setting.
ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "application_keys",
        sa.Column("key_id", sa.Text(), primary_key=True),
        sa.Column("account_key", ID_KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("last_used_s", sa.BigInteger(), nullable=False),
        sa.Index("application_keys_by_account", "account_key"),
    )
