"""Budgets: how much is to be spent at a scope, and who is told when it comes near.

Sources: the specification of Microsoft.Consumption/budgets, 2024-08-01, and learn.microsoft.com,
"Tutorial: Create and manage budgets". A budget tells; a usage limit stops.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from linarite.domain.arm_id import parent_id
from linarite.domain.cost_dimensions import DIMENSIONS, Condition, tag
from linarite.domain.outbox import Letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linarite.domain.resource import Resource

BUDGET_TYPE = "Microsoft.Consumption/budgets"
STATE_TYPE = "Linarite.Operations/budgetStates"
"""what was told of a budget, below it: it goes with it"""
MONTHS = {
    "Monthly": 1,
    "BillingMonth": 1,
    "Quarterly": 3,
    "BillingQuarter": 3,
    "Annually": 12,
    "BillingAnnual": 12,
}
"""time grains, in months; billing periods are those of the calendar here"""
ACTUAL = "Actual"
PERCENT = 100


class Notification(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """When somebody is told, and who."""

    enabled: bool
    operator: Literal["EqualTo", "GreaterThan", "GreaterThanOrEqualTo"]
    threshold: float
    """percent of the amount"""
    threshold_type: Literal["Actual", "Forecasted"] = "Actual"
    contact_groups: list[str] = []
    """ids of action groups"""
    contact_emails: list[str] | None = None
    contact_roles: list[str] | None = None

    def is_met(self, spent: float, amount: float) -> bool:
        """Whether so much is as far as it says."""
        reached = self.threshold * amount / PERCENT
        if self.operator == "EqualTo":  # sums seldom hit a figure: on the way they have passed it
            return spent >= reached
        return spent > reached if self.operator == "GreaterThan" else spent >= reached


class Period(msgspec.Struct, frozen=True):
    """What a budget's amount is for, just now."""

    since: date
    until: date
    """its last day"""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as it is evaluated."""

    id: str
    name: str
    scope: str
    """the id of its subscription or resource group"""
    amount: float
    months: int
    starts: date
    ends: date
    """its last day"""
    conditions: list[Condition]
    """all must fit"""
    notifications: dict[str, Notification]
    created_by: str = ""

    def period(self, day: date) -> Period | None:
        """The one that a day lies in; None before the first and after the last."""
        if not self.starts <= day <= self.ends:
            return None
        gone = (day.year - self.starts.year) * 12 + day.month - self.starts.month
        gone -= gone % self.months
        since = months_after(self.starts, gone)
        until = months_after(self.starts, gone + self.months) - timedelta(days=1)
        return Period(since, min(until, self.ends))


class Spend(msgspec.Struct, frozen=True):
    """What has been spent of a budget in its period, in the price book's currency."""

    amount: float
    forecast: float | None
    """at the period's end, as it goes; None on its first day"""


class BudgetState(msgspec.Struct, frozen=True):
    """What was told of a budget."""

    told: dict[str, str] = {}
    """notification → its figures and the period for which it was told"""
    letters: list[Letter] = []
    """what is still to be handed to the sender: a server may die in between"""


class BudgetBook(Protocol):
    """How budgets stand."""

    def spend_of(self, budget_id: str) -> Spend | None:
        """As it was looked at last; None outside of its periods."""
        ...

    async def evaluate(self, budget_id: str) -> None:
        """Look at it now. Never raises."""
        ...


class NoBudgets:
    """Of a server that evaluates none."""

    def spend_of(self, budget_id: str) -> Spend | None:
        """Unknown."""
        del budget_id

    async def evaluate(self, budget_id: str) -> None:
        """Do nothing."""
        del budget_id


NO_BUDGETS = NoBudgets()


def budget_of(resource: Resource) -> Budget:
    """A budget; what was admitted can be read."""
    said = resource.properties
    period: Mapping[str, Any] = said["timePeriod"]
    return Budget(
        id=resource.id,
        name=resource.name,
        scope=parent_id(resource.id),
        amount=float(said["amount"]),
        months=MONTHS[said["timeGrain"]],
        starts=day_in(period["startDate"]),
        ends=day_in(period["endDate"]),
        conditions=[*_conditions(said.get("filter")), *_earlier_conditions(said.get("filters"))],
        notifications=msgspec.convert(said.get("notifications") or {}, dict[str, Notification]),
        created_by=str(resource.system_data.get("createdBy") or ""),
    )


def day_in(text: str) -> date:
    """The day of an ISO time. Raises ValueError."""
    return datetime.fromisoformat(text).date()


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or that month's last one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def forecast(spent: float, period: Period, today: date) -> float | None:
    """What will be spent at the period's end if it goes on as on its whole days so far."""
    gone = (today - period.since).days
    if gone < 1:
        return None
    whole = (period.until - period.since).days + 1
    return spent * whole / min(gone + 1, whole)


def _conditions(said: Mapping[str, Any] | None) -> Iterator[Condition]:
    for word, each in (said or {}).items():
        if each is None:
            continue
        if word == "and":
            for one in each:
                yield from _conditions(one)
        else:
            name = str(each["name"])
            dimension = tag(name) if word.startswith("tag") else DIMENSIONS[name.lower()]
            yield dimension, frozenset(str(value).lower() for value in each["values"])


def _earlier_conditions(said: Mapping[str, Any] | None) -> Iterator[Condition]:
    """As api-versions before 2019-10-01 wrote them."""
    for word, name in (("resourceGroups", "ResourceGroup"), ("resources", "ResourceId")):
        if values := (said or {}).get(word):
            yield DIMENSIONS[name.lower()], frozenset(str(value).lower() for value in values)
    tags: Mapping[str, list[str]] = (said or {}).get("tags") or {}
    for name, values in tags.items():
        yield tag(name), frozenset(value.lower() for value in values)
