"""Alembic's scripts: `env.py` for every database, and one folder of revisions for each.

A revision's number is its place in the order ("0001", "0002", …), so that a file written by a
newer version is recognised by comparison. After adding one, raise the head in `storage.migrate` and
run `python scripts/write_schemas.py`: new files are made by the `schema.sql` that it writes.
"""

from __future__ import annotations
