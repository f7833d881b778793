"""What a budget may be.

Source: the specification of Microsoft.Consumption/budgets, 2024-08-01.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.cost_filters import conditions
from linarite.controlplane.problems import missing_problems
from linarite.domain.alerts import ACTION_GROUP_TYPE
from linarite.domain.arm_errors import ArmError, Problem
from linarite.domain.arm_id import (
    RESOURCE_GROUP_TYPE,
    SUBSCRIPTION_TYPE,
    parent_id,
    same_id,
    type_of,
)
from linarite.domain.budgets import BUDGET_TYPE, MONTHS, Notification, day_in, months_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource

NAME = r"[a-zA-Z0-9_.-]{1,63}"
READ_ONLY = frozenset(("currentSpend", "forecastSpend"))
BUDGETS_MAX = 500
"""at one scope: each is evaluated twice a minute"""
NOTIFICATIONS_MAX = 5
GROUPS_MAX = 5
EMAILS_MAX = 50
PERCENT_MAX = 1000
YEARS = 10
"""that a budget holds where it does not say when it ends, as on Azure"""
AHEAD_MONTHS = 12
EARLIEST = "2017-06-01"
READS_GROUPS = f"{ACTION_GROUP_TYPE}/read"
INVALID = "BadRequest"


class SentPeriod(msgspec.Struct, rename="camel"):
    """When it holds; times, of which the day counts."""

    start_date: str
    end_date: str | None = None


class SentNotification(msgspec.Struct, rename="camel"):
    """Who is told when."""

    enabled: bool
    operator: str
    threshold: float
    threshold_type: str | None = None
    contact_groups: list[str] | None = None
    contact_emails: list[str] | None = None
    contact_roles: list[str] | None = None


class SentFilters(msgspec.Struct, rename="camel"):
    """A filter as api-versions before 2019-10-01 have it."""

    resource_groups: list[str] | None = None
    resources: list[str] | None = None
    meters: list[str] | None = None
    tags: dict[str, list[str]] | None = None


class SentBudget(msgspec.Struct, rename="camel"):
    """What may be set."""

    category: str | None = None
    amount: float | None = None
    time_grain: str | None = None
    time_period: SentPeriod | None = None
    filter: dict[str, Any] | None = None
    filters: SentFilters | None = None
    notifications: dict[str, SentNotification] | None = None


class BudgetFacts(msgspec.Struct, frozen=True):
    """What is known when a budget is admitted."""

    groups: frozenset[str]
    """lower-cased ids of action groups"""
    others: int
    """budgets at the same scope"""
    today: date


async def gather(surface: Surface, target: Target) -> BudgetFacts:
    """Action groups, and how many budgets the scope has."""
    groups = await surface.resources.list_under("", ACTION_GROUP_TYPE)
    scope = parent_id(target.path)
    there = await surface.resources.list_under(scope, BUDGET_TYPE)
    return BudgetFacts(
        frozenset(each.id.lower() for each in groups),
        sum(
            same_id(parent_id(each.id), scope) and not same_id(each.id, target.path)
            for each in there
        ),
        surface.now().date(),
    )


def complete(new: Resource, old: Resource | None, facts: BudgetFacts) -> Resource:
    """Ten years where no end is said; costs are what budgets are of; words as Azure spells them."""
    del old, facts
    said: dict[str, Any] = {"category": "Cost", **new.properties}
    period: dict[str, Any] = dict(said.get("timePeriod") or {})
    if period.get("startDate") and not period.get("endDate"):
        try:
            ends = months_after(day_in(period["startDate"]), 12 * YEARS) - timedelta(days=1)
        except ValueError:  # what is no date is refused as such
            ends = None
        if ends is not None:
            period["endDate"] = f"{ends.isoformat()}T00:00:00Z"
    if period:
        said["timePeriod"] = period
    for name, words in (("timeGrain", MONTHS), ("category", ("Cost",))):
        if name in said:
            said[name] = _spelled(said[name], words)
    return msgspec.structs.replace(new, properties=said)


def admit(new: Resource, old: Resource | None, facts: BudgetFacts) -> list[Problem]:
    """Every problem of the budget as it would be."""
    said = new.properties
    found = [
        *_scope_problems(new.id),
        *missing_problems(said, "amount", "timeGrain", "timePeriod"),
    ]
    if old is None and facts.others >= BUDGETS_MAX:
        found.append(_problem(f"There are {BUDGETS_MAX} budgets at the scope already.", "name"))
    return found or [
        *_figure_problems(said),
        *_period_problems(said["timePeriod"], facts.today, is_new=old is None),
        *_filter_problems(said),
        *_notification_problems(said.get("notifications") or {}, facts),
    ]


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Whoever has figures sent somewhere must be allowed to see who is told."""
    del old
    told: dict[str, dict[str, Any]] = (new.properties.get("notifications") or {}) if new else {}
    return [
        (READS_GROUPS, group)
        for each in told.values()
        for group in cast("list[str]", each.get("contactGroups") or [])
    ]


def show(budget: Resource, showing: Showing) -> dict[str, Any]:
    """With what has been spent."""
    told = dict(budget.properties)
    spend = showing.budgets.spend_of(budget.id)
    if spend is not None:
        told["currentSpend"] = {"amount": spend.amount, "unit": showing.currency}
        if spend.forecast is not None:
            told["forecastSpend"] = {"amount": spend.forecast, "unit": showing.currency}
    return told


async def written(surface: Surface, budget: Resource) -> None:
    """It is looked at at once, so that the answer tells what has been spent."""
    await surface.diagnostics.budgets.evaluate(budget.id)


def _spelled(said: str, words: Iterable[str]) -> str:
    """A word as it is in a list of them, whatever its case: az writes `monthly`."""
    return next((word for word in words if word.lower() == said.lower()), said)


def _problem(message: str, place: str) -> Problem:
    return Problem(INVALID, message, place)


def _scope_problems(budget_id: str) -> Iterator[Problem]:
    scope = parent_id(budget_id)
    kinds = (SUBSCRIPTION_TYPE.lower(), RESOURCE_GROUP_TYPE.lower())
    if not scope or type_of(scope).lower() not in kinds:
        yield _problem(
            f"A budget is of a subscription or a resource group, not of '{(scope or '/')[:300]}'. "
            "For one account, filter by the dimension ResourceId.",
            "id",
        )


def _figure_problems(said: dict[str, Any]) -> Iterator[Problem]:
    if str(said["category"]).lower() != "cost":
        yield _problem("The category of a budget is 'Cost'.", "properties.category")
    if said["amount"] <= 0:
        yield _problem("The amount of a budget is more than 0.", "properties.amount")
    if said["timeGrain"] not in MONTHS:
        yield _problem(f"timeGrain is one of {', '.join(MONTHS)}.", "properties.timeGrain")


def _period_problems(said: dict[str, Any], today: date, *, is_new: bool) -> Iterator[Problem]:
    place = "properties.timePeriod"
    try:
        starts, ends = day_in(said["startDate"]), day_in(said["endDate"])
    except (KeyError, ValueError, OverflowError):
        yield _problem(f"{place} has a startDate such as 2026-11-01T00:00:00Z.", place)
        return
    if starts.day != 1:
        yield _problem("The start date must be the first of a month.", f"{place}.startDate")
    if starts < day_in(EARLIEST):
        yield _problem(f"The start date must be on or after {EARLIEST}.", f"{place}.startDate")
    if is_new and starts > months_after(today.replace(day=1), AHEAD_MONTHS):
        yield _problem(
            f"The start date is more than {AHEAD_MONTHS} months ahead.", f"{place}.startDate"
        )
    if ends <= starts:
        yield _problem("The end date must be after the start date.", f"{place}.endDate")


def _filter_problems(said: dict[str, Any]) -> Iterator[Problem]:
    try:
        conditions(said.get("filter") or {})
    except ArmError as refusal:
        yield _problem(refusal.message, "properties.filter")
    earlier: dict[str, Any] = said.get("filters") or {}
    if earlier.get("meters"):
        yield _problem("There are no meters here to filter by.", "properties.filters.meters")


def _notification_problems(said: dict[str, Any], facts: BudgetFacts) -> Iterator[Problem]:
    if len(said) > NOTIFICATIONS_MAX:
        yield _problem(
            f"A budget has at most {NOTIFICATIONS_MAX} notifications.", "properties.notifications"
        )
    for name, sent in said.items():
        place = f"properties.notifications.{name[:60]}"
        try:
            each = msgspec.convert(sent, Notification)
        except msgspec.ValidationError as problem:
            yield _problem(f"The notification is wrong: {problem}.", place)
            continue
        if not 0 < each.threshold <= PERCENT_MAX:
            yield _problem(f"A threshold is from 0.01 to {PERCENT_MAX} percent.", place)
        if not (each.contact_groups or each.contact_emails or each.contact_roles):
            yield _problem("Name contactGroups: nobody would be told.", place)
        if len(each.contact_groups) > GROUPS_MAX or len(each.contact_emails or ()) > EMAILS_MAX:
            yield _problem(
                f"At most {GROUPS_MAX} contactGroups and {EMAILS_MAX} contactEmails.", place
            )
        for group in each.contact_groups[:GROUPS_MAX]:
            if group.lower().rstrip("/") not in facts.groups:
                yield _problem(f"There is no action group '{group[:200]}'. Make it first.", place)
