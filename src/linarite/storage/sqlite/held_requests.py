"""What `requests.db` holds of an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from linarite.domain.held_data import Held
from linarite.storage.resource_id import id_key
from linarite.storage.tables.requests import request_records, usage_days, usage_subjects

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.storage.retention import Retention

REQUESTS_FILE = "requests.db"
SECOND_NS = 1_000_000_000
DAY_S = 86_400


async def held_in(connection: AsyncConnection, account_id: str, retention: Retention) -> list[Held]:
    """Records of single requests, and sums by the day; each where there is any."""
    records, days = request_records.c, usage_days.c
    at = records.started_at_ns
    single = (
        await connection.execute(
            select(func.count(), func.min(at), func.max(at)).where(
                func.lower(records.account_id) == id_key(account_id)
            )
        )
    ).one()
    sums = (
        await connection.execute(
            select(func.count(), func.min(days.day), func.max(days.day))
            .join_from(usage_days, usage_subjects, days.subject_id == usage_subjects.c.id)
            .where(func.lower(usage_subjects.c.account_id) == id_key(account_id))
        )
    ).one()
    found: list[Held] = []
    if single[0]:
        oldest, newest = single[1] // SECOND_NS, single[2] // SECOND_NS
        found.append(_held("requestRecord", single[0], (oldest, newest), retention.age_s))
    if sums[0]:
        oldest, newest = sums[1] * DAY_S, sums[2] * DAY_S
        found.append(
            _held("usageDay", sums[0], (oldest, newest), (retention.usage_days or 0) * DAY_S)
        )
    return found


def _held(kind: str, count: int, times: tuple[int, int], age_s: float | None) -> Held:
    oldest, newest = times
    kept_s = int(age_s or 0)
    return Held(
        kind=kind,
        place=REQUESTS_FILE,
        count=count,
        bytes=0,
        oldest=oldest,
        newest=newest,
        ends_first=oldest + kept_s if kept_s else 0,
        ends_last=newest + kept_s if kept_s else 0,
        endless=0 if kept_s else count,
    )
