"""The first schema: the chain, its checkpoints, and the triggers that keep hands off them.

The triggers stop mistakes and whoever has only our connection. Who can drop them can change rows;
the chain and its signatures show it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Ids are compared byte by byte, whatever the database's language setting.
ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

PRUNED = "(SELECT max(seq) FROM audit_checkpoints WHERE kind = 'prune')"

TRIGGERS = (
    # REPLACE deletes without asking the triggers for deletion: nothing may take a place again.
    """CREATE TRIGGER audit_entries_follow BEFORE INSERT ON audit_entries
    WHEN EXISTS (SELECT 1 FROM audit_entries WHERE seq >= NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit entries only follow one another'); END""",
    """CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
    BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END""",
    f"""CREATE TRIGGER audit_entries_remain BEFORE DELETE ON audit_entries
    WHEN OLD.seq > coalesce({PRUNED}, 0)
    BEGIN SELECT RAISE(ABORT, 'audit entries go only below a signed checkpoint'); END""",
    """CREATE TRIGGER audit_checkpoints_follow BEFORE INSERT ON audit_checkpoints
    WHEN EXISTS (SELECT 1 FROM audit_checkpoints WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints only follow one another'); END""",
    """CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE ON audit_checkpoints
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints are never changed'); END""",
    f"""CREATE TRIGGER audit_checkpoints_remain BEFORE DELETE ON audit_checkpoints
    WHEN OLD.seq >= coalesce({PRUNED}, 0)
    BEGIN SELECT RAISE(ABORT, 'audit checkpoints go only below a signed one'); END""",
    """CREATE TRIGGER audit_log_is_one BEFORE INSERT ON audit_log
    WHEN EXISTS (SELECT 1 FROM audit_log)
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END""",
    """CREATE TRIGGER audit_log_stays BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END""",
    """CREATE TRIGGER audit_log_remains BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'an audit log has one key'); END""",
)


def upgrade() -> None:
    """Create the tables and their guards."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_entries",
        sa.Column("seq", number, primary_key=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("principal_key", sa.Text(), nullable=False),
        sa.Column("resource_key", ID_KEY, nullable=False),
        sa.Column("request_key", sa.Text(), nullable=False),
        sa.Column("correlation_key", sa.Text(), nullable=False),
        sa.Index("audit_entries_by_time", "at"),
        sa.Index("audit_entries_by_request", "request_key"),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("id", number, primary_key=True, autoincrement=True),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Index("audit_checkpoints_by_seq", "seq"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
    )
    for trigger in TRIGGERS:
        op.execute(trigger)
