"""Adapters on SQLite files in one folder; the statements are portable SQLAlchemy Core."""

from __future__ import annotations
