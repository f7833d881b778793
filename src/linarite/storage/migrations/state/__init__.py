"""Revisions of `linarite.db`: resources, keys, what must survive a power cut."""

from __future__ import annotations
