"""How many bytes each account has of each kind, kept by the database itself as rows change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID_KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# Only rows with a blob are asked for its size: bodies without one may be large.
SIZE = (
    "length(CAST({row}.body AS BLOB)) + CASE {row}.blob WHEN '' THEN 0 "
    "ELSE coalesce(json_extract({row}.body, '$.blob_bytes'), 0) END"
)
GROW = (
    "INSERT INTO stored_sizes VALUES (NEW.account_key, NEW.kind, {new}) "
    "ON CONFLICT (account_key, kind) DO UPDATE SET bytes = bytes + excluded.bytes"
)
SHRINK = (
    "UPDATE stored_sizes SET bytes = bytes - ({old}) "
    "WHERE account_key = OLD.account_key AND kind = OLD.kind"
)
FORGET = (
    "DELETE FROM stored_sizes "
    "WHERE account_key = OLD.account_key AND kind = OLD.kind AND bytes <= 0"
)


def upgrade() -> None:
    """Create the sums, of what there is, and what keeps them."""
    op.create_table(
        "stored_sizes",
        sa.Column("account_key", ID_KEY, primary_key=True),
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
    )
    size = SIZE.format(row="stored_objects")
    op.execute(
        f"INSERT INTO stored_sizes SELECT account_key, kind, sum({size}) "  # noqa: S608 - constants
        "FROM stored_objects GROUP BY account_key, kind"
    )
    grow, shrink = (
        GROW.format(new=SIZE.format(row="NEW")),
        SHRINK.format(old=SIZE.format(row="OLD")),
    )
    for name, when, acts in (
        ("added", "INSERT", (grow,)),
        ("removed", "DELETE", (shrink, FORGET)),
        ("changed", "UPDATE OF body, blob", (shrink, grow)),
    ):
        body = "; ".join(acts)
        op.execute(
            f"CREATE TRIGGER stored_object_{name} AFTER {when} ON stored_objects BEGIN {body}; END"
        )
