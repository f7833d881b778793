"""What each application's key has used: counters of their own, so that no other metric grows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from linarite.telemetry.families import counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.request_record import RequestRecord
    from linarite.telemetry.families import Family

Key = tuple[str, str, str, int]
"""account, key, deployment, status"""
OTHER: Key = ("", "_OTHER", "_OTHER", 0)


class ApplicationSeries:
    """Counts by key and deployment. Labels come from what is stored, never from a caller."""

    def __init__(self, series_max: int) -> None:
        """A further combination than `series_max` is counted under `_OTHER`."""
        self._series_max = series_max
        self._counts: dict[Key, list[int]] = {}
        """requests, prompt tokens, cached ones among them, completion tokens"""

    def observe(self, record: RequestRecord) -> None:
        """Count a finished request that an application's key has made."""
        deployment = record.deployment if record.model else ""
        key = (record.account, record.caller_key, deployment, record.status)
        counts = self._counts.get(key)
        if counts is None:
            if len(self._counts) >= self._series_max:
                key = OTHER
            counts = self._counts.setdefault(key, [0, 0, 0, 0])
        counts[0] += 1
        counts[1] += record.prompt_tokens
        counts[2] += record.cached_tokens
        counts[3] += record.completion_tokens

    def families(self) -> Iterator[Family]:
        """Both counters; nothing where no such key was used."""
        counted = list(self._counts.items())
        if not counted:
            return
        tokens: Counter[tuple[str, str, str, str]] = Counter()
        for (account, key, deployment, _), (_, prompt, cached, completion) in counted:
            tokens[account, key, deployment, "prompt"] += prompt
            tokens[account, key, deployment, "cached"] += cached
            tokens[account, key, deployment, "completion"] += completion
        yield counter(
            "linarite.application_key.requests",
            "Requests by application key and outcome.",
            (
                (
                    {
                        "account": account,
                        "key": key,
                        "deployment": deployment,
                        "status": str(status),
                    },
                    counts[0],
                )
                for (account, key, deployment, status), counts in counted
            ),
        )
        yield counter(
            "linarite.application_key.tokens",
            "Tokens by application key. Cached ones are part of prompt.",
            (
                ({"account": account, "key": key, "deployment": deployment, "type": kind}, count)
                for (account, key, deployment, kind), count in tokens.items()
                if count
            ),
            "{token}",
        )
