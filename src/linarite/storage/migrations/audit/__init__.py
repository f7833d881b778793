"""Revisions of `audit.db`: entries that nobody changes, and the signatures over them."""

from __future__ import annotations
