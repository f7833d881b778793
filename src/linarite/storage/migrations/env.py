"""Alembic runs this once per migration; the caller hands over the connection and commits it."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
