"""What decided a request: whose credential, which rule, which control, which instance."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = (
    "account_id",
    "object_id",
    "app_id",
    "issuer",
    "token_id",
    "decided_by",
    "refused_by",
    "instance",
    "engine",
)


def upgrade() -> None:
    """Older records don't know: they say nothing."""
    for name in COLUMNS:
        op.add_column(
            "request_records", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
