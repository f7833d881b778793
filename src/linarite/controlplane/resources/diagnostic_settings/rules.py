"""What a diagnostic setting may be.

Source: the specification of Microsoft.Insights/diagnosticSettings, 2021-05-01-preview. Where Azure
has storage accounts, workspaces and partners, settings declare sinks: the last word of an id is
the name of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id, same_id
from linarite.domain.diagnostics import (
    DESTINATIONS,
    DIAGNOSTIC_SETTING_TYPE,
    GROUPS,
    LOG_CATEGORIES,
    METRIC_CATEGORIES,
    categories_of,
    destinations_of,
)
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

NAME = r"[^<>*%&:\\?+/]{1,260}"
SETTINGS_MAX = 5
"""of one resource, as on Azure"""
ELSEWHERE = ("eventHubAuthorizationRuleId", "serviceBusRuleId", "eventHubName")
"""destinations that there are none of here"""


class RetentionPolicy(msgspec.Struct):
    """Kept and shown: Azure takes it no more, and neither do sinks here."""

    enabled: bool = False
    days: int = 0


class SentLog(msgspec.Struct, rename="camel"):
    """A category of logs, or a group of them."""

    enabled: bool
    category: str | None = None
    category_group: str | None = None
    retention_policy: RetentionPolicy | None = None


class SentMetric(msgspec.Struct, rename="camel"):
    """A category of metrics."""

    enabled: bool
    category: str | None = None
    time_grain: str | None = None
    retention_policy: RetentionPolicy | None = None


class SentSetting(msgspec.Struct, rename="camel"):
    """What may be set."""

    logs: list[SentLog] | None = None
    metrics: list[SentMetric] | None = None
    storage_account_id: str | None = None
    workspace_id: str | None = None
    marketplace_partner_id: str | None = None
    event_hub_authorization_rule_id: str | None = None
    event_hub_name: str | None = None
    service_bus_rule_id: str | None = None
    log_analytics_destination_type: str | None = None


class SettingFacts(msgspec.Struct, frozen=True):
    """What is known when a setting is admitted."""

    sinks: dict[str, str]
    """name → kind"""
    others: tuple[Resource, ...]
    """the account's other settings"""


async def gather(surface: Surface, target: Target) -> SettingFacts:
    """The sinks, and the account's other settings."""
    there = await surface.resources.list_under(parent_id(target.path), DIAGNOSTIC_SETTING_TYPE)
    return SettingFacts(
        sinks=dict(surface.diagnostics.sinks),
        others=tuple(each for each in there if not same_id(each.id, target.path)),
    )


def complete(new: Resource, old: Resource | None, facts: SettingFacts) -> Resource:
    """Lists that are left out are empty."""
    del old, facts
    return msgspec.structs.replace(new, properties={"logs": [], "metrics": [], **new.properties})


def admit(new: Resource, old: Resource | None, facts: SettingFacts) -> list[Problem]:
    """Every problem of the setting as it would be."""
    problems = [*_category_problems(new.properties), *_destination_problems(new.properties, facts)]
    if old is None and len(facts.others) >= SETTINGS_MAX:
        problems.append(
            Problem(
                "BadRequest",
                f"The account has {SETTINGS_MAX} diagnostic settings, which is the most there may "
                "be. Delete one, or let one of them send to several sinks.",
            )
        )
    return problems or _doubled(new, facts)


def _category_problems(properties: Mapping[str, Any]) -> list[Problem]:
    logs, metrics = properties.get("logs") or (), properties.get("metrics") or ()
    found: list[Problem] = []
    for place, log in enumerate(logs):
        category, group = log.get("category"), log.get("categoryGroup")
        if bool(category) == bool(group):
            found.append(
                Problem(
                    "BadRequest",
                    "Each log has either a 'category' or a 'categoryGroup'.",
                    f"properties.logs[{place}]",
                )
            )
        elif category and category.lower() not in map(str.lower, LOG_CATEGORIES):
            found.append(_not_supported(category, LOG_CATEGORIES, f"properties.logs[{place}]"))
        elif group and group.lower() not in GROUPS:
            found.append(_not_supported(group, ("allLogs", "audit"), f"properties.logs[{place}]"))
    found += [
        _not_supported(each["category"], METRIC_CATEGORIES, f"properties.metrics[{place}]")
        for place, each in enumerate(metrics)
        if each.get("category") and each["category"] not in METRIC_CATEGORIES
    ]
    if not logs and not metrics:
        found.append(
            Problem(
                "BadRequest", "A diagnostic setting has at least one log or metric.", "properties"
            )
        )
    return found


def _not_supported(word: str, known: tuple[str, ...], place: str) -> Problem:
    return Problem(
        "BadRequest",
        f"Category '{word[:60]}' is not supported. There are: {', '.join(known)}.",
        place,
    )


def _destination_problems(properties: Mapping[str, Any], facts: SettingFacts) -> list[Problem]:
    found = [
        Problem(
            "BadRequest",
            f"There are no event hubs and service buses here. Name a sink that settings declare "
            f"({_declared(facts)}) in storageAccountId, workspaceId or marketplacePartnerId.",
            f"properties.{name}",
        )
        for name in ELSEWHERE
        if properties.get(name)
    ]
    destinations = destinations_of(properties)
    if not destinations and not found:
        found.append(
            Problem(
                "BadRequest",
                "At least one data sink needs to be specified: storageAccountId, workspaceId or "
                f"marketplacePartnerId, whose last word names a sink ({_declared(facts)}).",
                "properties",
            )
        )
    for each in destinations:
        kind, allowed = facts.sinks.get(each.sink), DESTINATIONS[each.property]
        if kind is None:
            found.append(
                Problem(
                    "ResourceNotFound",
                    f"There is no sink '{each.sink[:60]}' ({_declared(facts)}). Declare it as "
                    f"[diagnostic_sinks.{each.sink[:60]}] in linarite.toml.",
                    f"properties.{each.property}",
                )
            )
        elif kind not in allowed:
            found.append(
                Problem(
                    "BadRequest",
                    f"The sink '{each.sink}' is a {kind}; {each.property} takes "
                    f"{' or '.join(allowed)}. marketplacePartnerId takes each kind.",
                    f"properties.{each.property}",
                )
            )
    return found


def _declared(facts: SettingFacts) -> str:
    names = ", ".join(f"{name}: {kind}" for name, kind in sorted(facts.sinks.items()))
    return f"declared are {names}" if names else "none is declared"


def _doubled(new: Resource, facts: SettingFacts) -> list[Problem]:
    """Azure refuses to send one category to one place twice."""
    sinks = {each.sink for each in destinations_of(new.properties)}
    categories = categories_of(new.properties)
    for other in facts.others:
        same = categories & categories_of(other.properties)
        there = sinks & {each.sink for each in destinations_of(other.properties)}
        if same and there:
            return [
                Problem(
                    "Conflict",
                    f"Data sink '{min(there)}' is already used in diagnostic setting "
                    f"'{other.name}' for category '{min(same)}'. Data sinks can't be reused in "
                    "different settings on the same category for the same resource.",
                    "properties",
                    409,
                )
            ]
    return []
