"""Which metrics there are."""

from __future__ import annotations
