"""Request records in a bounded queue."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from linarite.storage.memory.usage import MemoryUsage
from linarite.storage.resource_id import id_key

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord
    from linarite.domain.usage_report import UsageQuestion, UsageSum


class MemoryRequestLedger:
    """`RequestLedger` without a file: the newest `rows_max` records, gone with the process."""

    def __init__(self, rows_max: int = 10_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=rows_max)
        self._added = 0
        self._usage = MemoryUsage()
        self.provisioned_hours = self._usage
        """what else is paid for"""

    def add(self, record: RequestRecord) -> None:
        """Take a record, unless there is one of the same request."""
        if any(each.request_id == record.request_id for each in self._records):
            return
        self._records.append(record)
        self._added += 1
        self._usage.add(record)

    async def flush(self) -> None:
        """Return: there is no disk to wait for."""

    async def latest(self, limit: int, *, account: str = "") -> list[RequestRecord]:
        """The newest records first, of one account or of all."""
        newest_first = reversed(self._records)
        wanted = (each for each in newest_first if account in {"", each.account})
        return list(islice(wanted, max(limit, 0)))

    async def find(self, request_id: str) -> RequestRecord | None:
        """The record of one `apim-request-id`."""
        newest_first = reversed(self._records)
        return next((each for each in newest_first if each.request_id == request_id), None)

    async def after(
        self, position: int, limit: int, *, account_id: str
    ) -> list[tuple[int, RequestRecord]]:
        """The oldest first, each with its position, of one account."""
        found = [
            (place, each)
            for place, each in self._placed()
            if place > position and id_key(each.account_id) == id_key(account_id)
        ]
        return found[:limit]

    async def position_at(self, at_ns: int) -> int:
        """Where the records begin that are younger than a time."""
        older = [place for place, each in self._placed() if each.started_at_ns < at_ns]
        return max(older, default=0)

    async def ends(self) -> tuple[int, int]:
        """The positions of the oldest and the newest record."""
        places = [place for place, _ in self._placed()]
        return (places[0], places[-1]) if places else (0, 0)

    def _placed(self) -> list[tuple[int, RequestRecord]]:
        first = self._added - len(self._records) + 1
        return list(enumerate(self._records, first))

    async def usage(self, question: UsageQuestion) -> list[UsageSum]:
        """See UsageBook."""
        return self._usage.answer(question)

    async def close(self) -> None:
        """Return: there is no file to let go of."""
