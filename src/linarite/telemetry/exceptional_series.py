"""Counters of what most requests are not: limited, spilled over, of another tier than the default.

Apart from the series of all requests, which would grow by each of these in number.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from linarite.telemetry.families import counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.request_record import RequestRecord
    from linarite.telemetry.families import Family

Key = tuple[str, str, str]
"""account, deployment, and what is special"""
OTHER: Key = ("", "_OTHER", "_OTHER")
USUAL_TIERS = frozenset(("", "default"))


class ExceptionalSeries:
    """Counts by account and deployment. Bounded: a further one is counted under `_OTHER`."""

    def __init__(self, series_max: int) -> None:
        """`series_max` of each kind are told apart."""
        self._series_max = series_max
        self._limited: Counter[Key] = Counter()
        self._spilled: Counter[Key] = Counter()
        self._tiers: Counter[Key] = Counter()
        self._warnings: Counter[tuple[str, str]] = Counter()

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request, as far as it is special."""
        if record.limited_by:
            self._count(self._limited, record, record.limited_by)
        if record.spilled_from:
            self._count(self._spilled, record, record.spilled_from)
        if record.service_tier not in USUAL_TIERS:
            self._count(self._tiers, record, record.service_tier)

    def warn(self, limit: str, threshold: str) -> None:
        """Count a percentage of a usage limit that was reached, or `refusing`."""
        key = (limit, threshold)
        if key not in self._warnings and len(self._warnings) >= self._series_max:
            key = OTHER[1:]
        self._warnings[key] += 1

    def _count(self, counts: Counter[Key], record: RequestRecord, what: str) -> None:
        key = (record.account, record.deployment if record.model else "", what)
        if key not in counts and len(counts) >= self._series_max:
            key = OTHER
        counts[key] += 1

    def families(self) -> Iterator[Family]:
        """A counter of each kind."""
        for name, label, counts, help_text in (
            (
                "linarite.requests.limited",
                "limit",
                self._limited,
                "Requests that a limit has refused (429), by its name.",
            ),
            (
                "linarite.requests.spilled",
                "spilled_from",
                self._spilled,
                "Requests that a deployment served because a provisioned one had no room.",
            ),
            (
                "linarite.requests.tiered",
                "service_tier",
                self._tiers,
                "Requests that were served in another tier than the default.",
            ),
        ):
            yield counter(
                name,
                help_text,
                (
                    ({"account": account, "deployment": deployment, label: what}, count)
                    for (account, deployment, what), count in dict(counts).items()
                ),
            )
        yield counter(
            "linarite.usage_limit.warnings",
            "Percentages of usage limits that were reached, once for each subject and window.",
            (
                ({"limit": limit, "threshold": threshold}, count)
                for (limit, threshold), count in dict(self._warnings).items()
            ),
        )
