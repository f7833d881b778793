"""What a metric alert rule may be: static thresholds on metrics of one account.

Source: the specification of Microsoft.Insights/metricAlerts, 2018-03-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.metric_question import READS_METRICS
from linarite.controlplane.problems import missing_problems
from linarite.domain.alerts import (
    ACTION_GROUP_TYPE,
    CRITERIA,
    DURATIONS_S,
    FREQUENCIES,
    AlertAction,
    Criterion,
)
from linarite.domain.arm_errors import Problem
from linarite.domain.azure_metrics.catalogue import METRICS, NAMESPACE
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

NAME = r"[^*#&+:<>?@%{}\\/|]{1,260}"
READ_ONLY = frozenset(("lastUpdatedTime", "isMigrated"))
SEVERITY_MAX = 4
CRITERIA_MAX = 5
ACTIONS_MAX = 5
"""action groups of a rule, as on Azure"""
INVALID = "BadRequest"
READS_GROUPS = f"{ACTION_GROUP_TYPE}/read"


class SentRule(msgspec.Struct, rename="camel"):
    """What may be set."""

    description: str | None = None
    severity: int | None = None
    enabled: bool | None = None
    scopes: list[str] | None = None
    evaluation_frequency: str | None = None
    window_size: str | None = None
    target_resource_type: str | None = None
    target_resource_region: str | None = None
    criteria: dict[str, Any] | None = None
    auto_mitigate: bool | None = None
    actions: list[dict[str, Any]] | None = None


class RuleFacts(msgspec.Struct, frozen=True):
    """What is known when a rule is admitted: lower-cased ids."""

    accounts: frozenset[str]
    groups: frozenset[str]


async def gather(surface: Surface, target: Target) -> RuleFacts:
    """Accounts and action groups."""
    del target
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    groups = await surface.resources.list_under("", ACTION_GROUP_TYPE)
    return RuleFacts(
        frozenset(each.id.lower() for each in accounts),
        frozenset(each.id.lower() for each in groups),
    )


def complete(new: Resource, old: Resource | None, facts: RuleFacts) -> Resource:
    """What Azure fills in."""
    del old, facts
    usual: dict[str, Any] = {"enabled": True, "autoMitigate": True, "actions": []}
    said = {name: value for name, value in new.properties.items() if value is not None}
    return msgspec.structs.replace(new, properties=usual | said)


def admit(new: Resource, old: Resource | None, facts: RuleFacts) -> list[Problem]:
    """Every problem of the rule as it would be."""
    del old
    said = new.properties
    found = missing_problems(
        said, "scopes", "evaluationFrequency", "windowSize", "criteria", "severity"
    )
    return found or [
        *_scope_problems(said["scopes"], facts),
        *_time_problems(said),
        *_criteria_problems(said["criteria"]),
        *_action_problems(said["actions"], facts),
    ]


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Whoever has metrics sent somewhere must be allowed to read them, and to see who is told."""
    del old
    if new is None:
        return ()
    scopes: list[str] = new.properties.get("scopes") or []
    actions: list[dict[str, Any]] = new.properties.get("actions") or []
    groups = [each.get("actionGroupId") for each in actions]
    return (
        *((READS_METRICS, each) for each in scopes),
        *((READS_GROUPS, each) for each in groups if isinstance(each, str)),
    )


def _problem(message: str, place: str) -> Problem:
    return Problem(INVALID, message, f"properties.{place}")


def _scope_problems(scopes: list[str], facts: RuleFacts) -> Iterator[Problem]:
    if len(scopes) != 1:
        yield _problem("A rule watches one account here: make one for each.", "scopes")
    elif scopes[0].lower().rstrip("/") not in facts.accounts:
        yield _problem(
            f"There is no account '{scopes[0][:200]}'; metrics are those of {ACCOUNT_TYPE}.",
            "scopes",
        )


def _time_problems(said: dict[str, Any]) -> Iterator[Problem]:
    window, frequency = said["windowSize"], said["evaluationFrequency"]
    if window not in DURATIONS_S:
        yield _problem(f"windowSize is one of {', '.join(DURATIONS_S)}.", "windowSize")
    if frequency not in FREQUENCIES:
        told = f"evaluationFrequency is one of {', '.join(FREQUENCIES)}."
        yield _problem(told, "evaluationFrequency")
    elif DURATIONS_S.get(window, DURATIONS_S[frequency]) < DURATIONS_S[frequency]:
        yield _problem("windowSize can't be shorter than evaluationFrequency.", "windowSize")
    if not 0 <= said["severity"] <= SEVERITY_MAX:
        yield _problem(f"severity is a number from 0 to {SEVERITY_MAX}.", "severity")


def _criteria_problems(criteria: dict[str, Any]) -> Iterator[Problem]:
    if criteria.get("odata.type") != CRITERIA:
        yield _problem(
            f"Criteria are of 'odata.type' '{CRITERIA}' here: static thresholds, one account.",
            "criteria",
        )
        return
    try:
        read = msgspec.convert(criteria.get("allOf"), list[Criterion])
    except msgspec.ValidationError as problem:
        yield _problem(f"The criteria are wrong: {problem}.", "criteria.allOf")
        return
    if not 0 < len(read) <= CRITERIA_MAX:
        yield _problem(f"A rule has one to {CRITERIA_MAX} criteria.", "criteria.allOf")
    for place, criterion in enumerate(read):
        for message in _criterion_problems(criterion):
            yield _problem(message, f"criteria.allOf[{place}]")


def _criterion_problems(criterion: Criterion) -> Iterator[str]:
    metric = METRICS.get(criterion.metric_name.lower())
    if criterion.metric_namespace.lower() not in ("", NAMESPACE.lower()):
        yield f"The namespace of metrics is '{NAMESPACE}'."
    if metric is None:
        yield (
            f"There is no metric '{criterion.metric_name[:60]}'. "
            "`az monitor metrics list-definitions` lists them."
        )
        return
    known = {name.lower() for name in metric.dimensions}
    for dimension in criterion.dimensions:
        if dimension.name.lower() not in known:
            yield (
                f"The metric '{metric.name}' has no dimension '{dimension.name[:60]}'; it has "
                f"{', '.join(metric.dimensions)}."
            )
        if not dimension.values:
            yield f"The dimension '{dimension.name[:60]}' has no values; '*' means each."


def _action_problems(actions: list[dict[str, Any]], facts: RuleFacts) -> Iterator[Problem]:
    try:
        read = msgspec.convert(actions, list[AlertAction])
    except msgspec.ValidationError as problem:
        yield _problem(f"The actions are wrong: {problem}.", "actions")
        return
    if len(read) > ACTIONS_MAX:
        yield _problem(f"A rule has at most {ACTIONS_MAX} action groups.", "actions")
        return
    for place, each in enumerate(read):
        if each.action_group_id.lower().rstrip("/") not in facts.groups:
            told = f"There is no action group '{each.action_group_id[:200]}'. Make it first."
            yield _problem(told, f"actions[{place}].actionGroupId")
