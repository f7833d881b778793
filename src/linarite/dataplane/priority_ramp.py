"""Priority that is taken back from a deployment whose traffic grows too fast.

Source: learn.microsoft.com, "Priority processing for Azure OpenAI in Microsoft Foundry Models": an
increase by more than half of the tokens per minute in less than 15 minutes may be served as
`default`. Here it is measured: a minute may have so much more than the greatest of the minutes
that lie 15 to 30 minutes back, of what was served with priority then.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.quota import Price

WINDOW = 15
"""minutes in which traffic may grow so far"""
MINUTE_S = 60
PERCENT = 100


class PriorityRamp:
    """What each deployment was served with priority, minute by minute; lost with the process."""

    def __init__(
        self,
        growth_percent: int,
        floor_tokens: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Below `floor_tokens` in a minute nothing is taken back."""
        self._growth = PERCENT + growth_percent
        self._floor = floor_tokens
        self._clock = clock
        self._began = self._minute()
        self._served: dict[str, dict[int, int]] = {}
        """by deployment, which are ours to name: minute → tokens"""

    def admits(self, deployment_id: str, price: Price) -> bool:
        """Whether a request may have priority; counts it then.

        For a quarter of an hour after the start all may: nobody knows how much there was before.
        """
        now = self._minute()
        served = self._served.setdefault(deployment_id, {})
        completion = (price.completion_tokens or 0) * price.answers
        tokens = served.get(now, 0) + price.prompt_tokens + completion
        if now - self._began >= WINDOW and tokens > self._bound(served, now):
            return False
        if now not in served:
            for minute in [each for each in served if each < now - 2 * WINDOW]:
                del served[minute]
        served[now] = tokens
        return True

    def _bound(self, served: dict[int, int], now: int) -> int:
        earlier = [
            tokens
            for minute, tokens in served.items()
            if now - 2 * WINDOW <= minute <= now - WINDOW
        ]
        return max(self._floor, max(earlier, default=0) * self._growth // PERCENT)

    def _minute(self) -> int:
        return int(self._clock()) // MINUTE_S
