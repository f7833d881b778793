"""What an access rule of a perimeter's profile may be.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from linarite.controlplane.address_ranges import is_range
from linarite.controlplane.fqdn_lists import fqdn_list_problems
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id, subscription_of
from linarite.domain.perimeter import PROFILE_TYPE
from linarite.domain.resource import Delete, Put, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change

READ_ONLY = frozenset(("provisioningState", "networkSecurityPerimeters"))
INBOUND = ("addressPrefixes", "subscriptions")
OUTBOUND = ("fullyQualifiedDomainNames",)
ELSEWHERE = ("emailAddresses", "phoneNumbers", "serviceTags")
"""what no account here could ever be reached by, or reach"""
KINDS = (*INBOUND, *OUTBOUND, *ELSEWHERE)


class Reference(msgspec.Struct):
    """A subscription."""

    id: str


class SentRule(msgspec.Struct, rename="camel"):
    """What may be set."""

    direction: Literal["Inbound", "Outbound"] | None = None
    address_prefixes: list[str] | None = None
    fully_qualified_domain_names: list[str] | None = None
    subscriptions: list[Reference] | None = None
    email_addresses: list[str] | None = None
    phone_numbers: list[str] | None = None
    service_tags: list[str] | None = None


async def gather(surface: Surface, target: Target) -> Resource | None:
    """The profile that it belongs to."""
    return await surface.resources.get(parent_id(target.path))


def complete(new: Resource, old: Resource | None, facts: Resource | None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    lists: dict[str, object] = {word: new.properties.get(word) or [] for word in KINDS}
    return msgspec.structs.replace(
        new,
        properties={
            **new.properties,
            **lists,
            "networkSecurityPerimeters": [],
            "provisioningState": "Succeeded",
        },
    )


def admit(new: Resource, old: Resource | None, facts: Resource | None) -> list[Problem]:
    """Every problem of the rule as it would be."""
    del facts
    properties = new.properties
    direction = properties.get("direction")
    if direction not in ("Inbound", "Outbound"):
        return [
            Problem(
                "InvalidRequestContent",
                "An access rule must have a direction: Inbound or Outbound.",
                "properties.direction",
            )
        ]
    if old is not None and old.properties.get("direction") != direction:
        return [
            Problem(
                "NspAccessRuleDirectionCannotBeChanged",
                f"The direction of the access rule '{new.name}' can't be changed; make another.",
                "properties.direction",
            )
        ]
    fitting = INBOUND if direction == "Inbound" else OUTBOUND
    given = [word for word in KINDS if properties.get(word)]
    found = [_unfit(word, str(direction), fitting) for word in given if word not in fitting]
    if len(given) != 1 and not found:
        found.append(
            Problem(
                "NspAccessRuleParametersInvalid",
                f"An access rule that is {direction} must have exactly one of: "
                f"{', '.join(fitting)}.",
                "properties",
            )
        )
    names = properties.get("fullyQualifiedDomainNames")
    return [
        *found,
        *_prefix_problems(properties),
        *_subscription_problems(properties),
        *fqdn_list_problems(names, "properties.fullyQualifiedDomainNames"),
    ]


async def beside(
    surface: Surface, rule: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """The profile counts the change."""
    if old is not None and old.properties == rule.properties:
        return [], []
    return await _counted(surface, rule), []


async def remove(surface: Surface, rule: Resource) -> None:
    """Remove it; the profile counts the change."""
    await surface.resources.commit([Delete(rule.id), *await _counted(surface, rule)], [])


async def _counted(surface: Surface, rule: Resource) -> list[Change]:
    profile = await surface.resources.get(parent_id(rule.id))
    if profile is None or profile.type.lower() != PROFILE_TYPE.lower():
        return []
    version = int(profile.properties.get("accessRulesVersion") or 0) + 1
    properties = {**profile.properties, "accessRulesVersion": str(version)}
    return [Put(msgspec.structs.replace(profile, properties=properties))]


def _unfit(word: str, direction: str, fitting: tuple[str, ...]) -> Problem:
    why = (
        "means nothing to the resources of this server"
        if word in ELSEWHERE
        else f"does not belong into an access rule that is {direction}"
    )
    return Problem(
        "NspAccessRuleParametersInvalid",
        f"'{word}' {why}; it may have: {', '.join(fitting)}.",
        f"properties.{word}",
    )


def _prefix_problems(properties: dict[str, Any]) -> list[Problem]:
    prefixes = cast("list[object]", properties.get("addressPrefixes") or [])
    return [
        Problem(
            "NspAddressPrefixInvalid",
            f"'{str(prefix)[:100]}' is neither an IP address nor a range in CIDR form.",
            f"properties.addressPrefixes[{place}]",
        )
        for place, prefix in enumerate(prefixes)
        if not is_range(str(prefix))
    ]


def _subscription_problems(properties: dict[str, Any]) -> list[Problem]:
    named = cast("list[dict[str, Any]]", properties.get("subscriptions") or [])
    return [
        Problem(
            "NspSubscriptionInvalid",
            f"'{str(each.get('id'))[:100]}' is no subscription's id, such as /subscriptions/GUID.",
            f"properties.subscriptions[{place}].id",
        )
        for place, each in enumerate(named)
        if not subscription_of(str(each.get("id") or ""))
    ]
