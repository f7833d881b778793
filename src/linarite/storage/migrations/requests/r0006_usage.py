"""Usage by the day, added up as records come; a request id is there once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SUBJECT = (
    "account_id",
    "account",
    "deployment",
    "model",
    "model_version",
    "sku",
    "region",
    "operation",
    "service_tier",
    "caller_key",
    "object_id",
    "app_id",
    "end_user",
    "project",
    "tags",
)
COUNTS = (
    "requests",
    "refused",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "audio_prompt_tokens",
    "audio_completion_tokens",
    "cost_nano",
)
SUBJECTS = ", ".join(SUBJECT)
COUNTED = ", ".join(COUNTS)
DAY_NS = 86_400_000_000_000

ONE_OF_EACH = """
DELETE FROM request_records WHERE request_id IN (
    SELECT request_id FROM request_records GROUP BY request_id HAVING count(*) > 1
) AND seq NOT IN (SELECT max(seq) FROM request_records GROUP BY request_id)
"""

TRIGGER = f"""
CREATE TRIGGER request_records_are_added_up AFTER INSERT ON request_records
WHEN NEW.account_id <> '' AND NEW.deployment <> ''
BEGIN
    INSERT INTO usage_subjects ({SUBJECTS})
    VALUES ({", ".join(f"NEW.{name}" for name in SUBJECT)})
    ON CONFLICT DO NOTHING;
    INSERT INTO usage_days (day, subject_id, {COUNTED})
    SELECT NEW.started_at_ns / {DAY_NS}, id, 1, NEW.status >= 400,
        {", ".join(f"NEW.{name}" for name in COUNTS[2:])}
    FROM usage_subjects WHERE {" AND ".join(f"{name} = NEW.{name}" for name in SUBJECT)}
    ON CONFLICT (day, subject_id) DO UPDATE SET
        {", ".join(f"{name} = {name} + excluded.{name}" for name in COUNTS)};
END
"""  # noqa: S608 - made of the names above

EARLIER_SUBJECTS = f"""
INSERT INTO usage_subjects ({SUBJECTS})
SELECT DISTINCT {SUBJECTS} FROM request_records WHERE account_id <> '' AND deployment <> ''
"""  # noqa: S608 - as above

EARLIER_DAYS = f"""
INSERT INTO usage_days (day, subject_id, {COUNTED})
SELECT started_at_ns / {DAY_NS}, id, count(*), sum(status >= 400),
    {", ".join(f"sum({name})" for name in COUNTS[2:])}
FROM request_records JOIN usage_subjects USING ({SUBJECTS})
GROUP BY 1, 2
"""  # noqa: S608 - as above


def upgrade() -> None:
    """Of records that share an id the newest stays; those that there are, are added up."""
    op.execute(ONE_OF_EACH)
    op.drop_index("request_records_by_request_id", "request_records")
    op.create_index("request_records_by_request_id", "request_records", ["request_id"], unique=True)
    op.create_table(
        "usage_subjects",
        sa.Column("id", sa.Integer(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in SUBJECT),
    )
    op.create_index("usage_subjects_alike", "usage_subjects", list(SUBJECT), unique=True)
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("subject_id", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in COUNTS),
    )
    op.execute(EARLIER_SUBJECTS)
    op.execute(EARLIER_DAYS)
    op.execute(TRIGGER)
