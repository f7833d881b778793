"""The first schema: resources, sealed account keys, and which master key sealed them."""

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
    """Create the tables."""
    op.create_table(
        "resources",
        sa.Column("id_key", ID_KEY, primary_key=True),
        sa.Column("type_key", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Index("resources_by_type", "type_key", "id_key"),
    )
    op.create_table(
        "sealing_keys",
        sa.Column("account_key", ID_KEY, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "account_keys",
        sa.Column("account_key", ID_KEY, sa.ForeignKey("sealing_keys.account_key")),
        sa.Column("name", sa.Text()),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_key", "name"),
    )
    op.create_table(
        "master_key_check",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
    )
