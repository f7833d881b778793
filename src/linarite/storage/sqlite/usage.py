"""Usage as `requests.db` has added it up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from linarite.domain import usage_report
from linarite.domain.usage_report import TooManySums, UsageCounts, answered, day_number
from linarite.storage.tables.requests import USAGE_COUNTS, usage_days, usage_subjects

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from linarite.domain.usage_report import UsageQuestion, UsageSum


async def usage_in(connection: AsyncConnection, question: UsageQuestion) -> list[UsageSum]:
    """The answer, from sums of days. Raises TooManySums."""
    columns = question.columns()
    most = usage_report.SUMS_MAX
    found = (await connection.execute(_select(question, columns).limit(most + 1))).all()
    if len(found) > most:
        raise TooManySums
    rows = (
        (dict(zip(columns, row, strict=False)), UsageCounts(*row[len(columns) :])) for row in found
    )
    return await asyncio.to_thread(answered, question, rows)  # requests are served meanwhile


def _select(question: UsageQuestion, columns: list[str]) -> Select[Any]:
    apart = [usage_days.c.day if name == "day" else usage_subjects.c[name] for name in columns]
    query = (
        select(*apart, *(func.sum(usage_days.c[name]) for name in USAGE_COUNTS))
        .join_from(usage_days, usage_subjects, usage_days.c.subject_id == usage_subjects.c.id)
        .where(usage_days.c.day.between(day_number(question.since), day_number(question.until)))
        .having(func.count() > 0)  # without groups there is a row even of nothing
        .group_by(*apart)
    )
    if question.scope:
        under = func.lower(usage_subjects.c.account_id) + "/"
        query = query.where(under.startswith(question.scope.lower() + "/", autoescape=True))
    return query
