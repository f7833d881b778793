"""Adapters of the ports that keep things: resources, keys, request records.

`memory/` and `sqlite/` hold the same file names, one file a port; what both need lies beside them.
SQLAlchemy, Alembic and the database driver are imported nowhere else.
"""

from __future__ import annotations
