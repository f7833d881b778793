"""Which rule over networks let a request in or refused it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Older records don't know: they say nothing."""
    op.add_column(
        "request_records", sa.Column("network_rule", sa.Text(), nullable=False, server_default="")
    )
