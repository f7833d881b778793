"""How long request records are kept."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Retention:
    """All limits hold; None is no limit."""

    age_s: float | None = None
    """older ones are removed"""
    rows: int | None = None
    """of more than this many, the oldest are removed"""
    usage_days: int | None = None
    """sums of usage of earlier days are removed"""
