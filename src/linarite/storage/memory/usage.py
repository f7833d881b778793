"""Usage added up in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.provisioned_hours import OPERATION
from linarite.domain.usage_report import (
    UsageCounts,
    UsageQuestion,
    UsageSum,
    answered,
    day_number,
    day_of,
)
from linarite.storage.tables.requests import USAGE_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.provisioned_hours import ProvisionedHour
    from linarite.domain.request_record import RequestRecord

_REFUSED = 400


class MemoryUsage:
    """The sums of each day, of requests that reached a deployment."""

    def __init__(self) -> None:
        self._sums: dict[tuple[object, ...], UsageCounts] = {}
        self._hours: dict[tuple[str, int], tuple[int, int]] = {}

    def add(self, record: RequestRecord) -> None:
        """Add a record to its day."""
        if not record.account_id or not record.deployment:
            return
        subject = (getattr(record, name) for name in USAGE_SUBJECT)
        sums = self._sums.setdefault((day_of(record.started_at_ns), *subject), UsageCounts())
        sums.add(
            UsageCounts(
                requests=1,
                refused=int(record.status >= _REFUSED),
                prompt_tokens=record.prompt_tokens,
                completion_tokens=record.completion_tokens,
                cached_tokens=record.cached_tokens,
                reasoning_tokens=record.reasoning_tokens,
                audio_prompt_tokens=record.audio_prompt_tokens,
                audio_completion_tokens=record.audio_completion_tokens,
                cost_nano=record.cost_nano,
            )
        )

    async def charge(self, hours: Sequence[ProvisionedHour]) -> None:
        """See ProvisionedHours."""
        for hour in hours:
            key = (hour.deployment_id.lower(), hour.hour)
            known = self._hours.get(key, (0, 0))
            now = max(hour.units, known[0]), max(hour.cost_nano, known[1])
            self._hours[key] = now
            if now == known:
                continue
            subject = (
                OPERATION if name == "operation" else str(getattr(hour, name, ""))
                for name in USAGE_SUBJECT
            )
            sums = self._sums.setdefault((hour.hour // 24, *subject), UsageCounts())
            sums.add(
                UsageCounts(cost_nano=now[1] - known[1], provisioned_unit_hours=now[0] - known[0])
            )

    def answer(self, question: UsageQuestion) -> list[UsageSum]:
        """See UsageBook."""
        names: tuple[str, ...] = ("day", *USAGE_SUBJECT)
        rows = [(dict(zip(names, key, strict=True)), sums) for key, sums in self._sums.items()]
        first, last = day_number(question.since), day_number(question.until)
        scope = question.scope.lower() + "/"
        return answered(
            question,
            (
                (row, sums)
                for row, sums in rows
                if first <= int(str(row["day"])) <= last
                and (not question.scope or f"{row['account_id']}/".lower().startswith(scope))
            ),
        )
