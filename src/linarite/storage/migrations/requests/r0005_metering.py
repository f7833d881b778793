"""What a request is charged for: tier, project, tags, parts of its tokens, cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXTS = (
    "model_version",
    "sku",
    "service_tier_asked",
    "service_tier",
    "spilled_from",
    "end_user",
    "project",
    "tags",
    "limited_by",
)
NUMBERS = ("reasoning_tokens", "audio_prompt_tokens", "audio_completion_tokens", "cost_nano")


def upgrade() -> None:
    """Older records don't know: they say nothing, and cost nothing."""
    for name in TEXTS:
        op.add_column(
            "request_records", sa.Column(name, sa.Text(), nullable=False, server_default="")
        )
    for name in NUMBERS:
        op.add_column(
            "request_records", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        )
