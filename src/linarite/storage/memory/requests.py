"""Request records in a bounded queue."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord


class MemoryRequestLedger:
    """`RequestLedger` without a file: the newest `rows_max` records, gone with the process."""

    def __init__(self, rows_max: int = 10_000) -> None:
        self._records: deque[RequestRecord] = deque(maxlen=rows_max)

    def add(self, record: RequestRecord) -> None:
        """Take a record."""
        self._records.append(record)

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

    async def close(self) -> None:
        """Return: there is no file to let go of."""
