"""Usage added up: what may be asked of it, and what is answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EPOCH = date(1970, 1, 1)
DAY_NS = 86_400_000_000_000
SUMS_MAX = 200_000
"""what is looked at for one question: a second or two of work"""
TAG = "tag:"
"""before the name of a tag, where a dimension is named"""
COLUMNS: Mapping[str, str] = {
    "day": "day",
    "month": "day",
    "account": "account",
    "accountId": "account_id",
    "deployment": "deployment",
    "model": "model",
    "modelVersion": "model_version",
    "sku": "sku",
    "region": "region",
    "operation": "operation",
    "serviceTier": "service_tier",
    "key": "caller_key",
    "principal": "object_id",
    "application": "app_id",
    "endUser": "end_user",
    "project": "project",
}
"""each dimension that usage is told by, and what it is read from; and `tag:NAME` for any tag"""


class UsageCounts(msgspec.Struct, gc=False):
    """Sums over requests."""

    requests: int = 0
    refused: int = 0
    """those of them that were answered with an error"""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    audio_prompt_tokens: int = 0
    audio_completion_tokens: int = 0
    cost_nano: int = 0
    provisioned_unit_hours: int = 0
    """hours of provisioned throughput units: of no request"""

    def add(self, other: UsageCounts) -> None:
        """Add what another has."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class UsageQuestion(msgspec.Struct, frozen=True):
    """Whose usage of which days, and by what it is to be told apart."""

    since: date
    until: date
    """the last day that counts; both in UTC"""
    scope: str = ""
    """an ARM id: accounts at it or under it; "" for all"""
    by: tuple[str, ...] = ()
    """dimensions, as `COLUMNS` names them, or `tag:NAME`"""
    where: tuple[tuple[str, frozenset[str]], ...] = ()
    """dimensions, and the values that count, compared without case"""

    def columns(self) -> list[str]:
        """What has to be told apart to answer it."""
        named = [*self.by, *(dimension for dimension, _ in self.where)]
        return list(dict.fromkeys(map(column_of, named)))


class UsageSum(msgspec.Struct, frozen=True):
    """The sums of one group."""

    group: tuple[str, ...]
    """the value of each dimension that was asked by; "" where there is none"""
    counts: UsageCounts


class TooManySums(Exception):
    """A question has more than `SUMS_MAX` answers: ask of fewer days, or by less."""


class UsageBook(Protocol):
    """Adds usage up, day by day, and keeps the sums longer than the records."""

    async def usage(self, question: UsageQuestion) -> list[UsageSum]:
        """The sums of all groups that there are, in the order of their values.

        Raises TooManySums.
        """
        ...


def known(dimension: str) -> bool:
    """Whether usage can be told by it."""
    return dimension in COLUMNS or (dimension.startswith(TAG) and len(dimension) > len(TAG))


def column_of(dimension: str) -> str:
    """What a dimension is read from."""
    return "tags" if dimension.startswith(TAG) else COLUMNS[dimension]


def day_of(started_at_ns: int) -> int:
    """The day of a time, in days since 1970, in UTC."""
    return started_at_ns // DAY_NS


def day_number(day: date) -> int:
    """The same of a date."""
    return (day - EPOCH).days


def today() -> date:
    """By the clock of this machine, in UTC."""
    return datetime.now(UTC).date()


def answered(
    question: UsageQuestion, rows: Iterable[tuple[Mapping[str, object], UsageCounts]]
) -> list[UsageSum]:
    """The groups of rows that were told apart by `question.columns()`. Raises TooManySums."""
    sums: dict[tuple[str, ...], UsageCounts] = {}
    for row, counts in rows:
        if any(value_of(row, name).lower() not in values for name, values in question.where):
            continue
        group = tuple(value_of(row, dimension) for dimension in question.by)
        sums.setdefault(group, UsageCounts()).add(counts)
        if len(sums) > SUMS_MAX:
            raise TooManySums
    return [UsageSum(group, counts) for group, counts in sorted(sums.items())]


def value_of(row: Mapping[str, object], dimension: str) -> str:
    """What a row has there."""
    told = row[column_of(dimension)]
    if isinstance(told, int):
        day = EPOCH + timedelta(days=told)
        return day.isoformat() if dimension == "day" else day.isoformat()[:7]
    text = str(told)
    return _tags(text).get(dimension.removeprefix(TAG), "") if dimension.startswith(TAG) else text


@lru_cache(maxsize=1024)  # the same few for all rows
def _tags(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}
