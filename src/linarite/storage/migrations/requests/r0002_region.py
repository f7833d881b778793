"""Where a request ran."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Older records don't know: they say nothing."""
    op.add_column(
        "request_records", sa.Column("region", sa.Text(), nullable=False, server_default="")
    )
