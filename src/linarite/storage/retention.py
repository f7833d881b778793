"""How long request records are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.storage.options import Records

DAY_S = 86_400.0


@dataclass(frozen=True)
class Retention:
    """All limits hold; None is no limit."""

    age_s: float | None = None
    """older ones are removed"""
    rows: int | None = None
    """of more than this many, the oldest are removed"""
    usage_days: int | None = None
    """sums of usage of earlier days are removed"""


def retention_of(said: Records) -> Retention:
    """As settings say it."""
    return Retention(
        age_s=said.keep_days * DAY_S or None,
        rows=said.rows_max or None,
        usage_days=said.keep_usage_days or None,
    )
