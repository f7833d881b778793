"""The zones in which the name of a private endpoint's account is kept.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
from msgspec import Meta

from linarite.controlplane.references import not_found
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.private_link import RECORDS, ZONE_GROUP_TYPE, ZONE_TYPE, at
from linarite.domain.resource import Resource
from linarite.privatelink.book import zone_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface

CONFIGS = "privateDnsZoneConfigs"
JOIN = "Microsoft.Network/privateDnsZones/join/action"


class ConfigProperties(msgspec.Struct, rename="camel"):
    """One zone."""

    private_dns_zone_id: str | None = None


class Config(msgspec.Struct):
    """One zone, by a name of its own."""

    name: str | None = None
    properties: ConfigProperties | None = None


class SentZoneGroup(msgspec.Struct, rename="camel"):
    """What may be set."""

    private_dns_zone_configs: Annotated[list[Config], Meta(max_length=5)] | None = None


class ZoneGroupFacts(msgspec.Struct, frozen=True):
    """What is known when a zone group is admitted."""

    zones: frozenset[str]
    """the ids of those there are, in lower case"""
    others: tuple[Resource, ...]
    """zone groups that the endpoint has already"""


async def gather(surface: Surface, target: Target) -> ZoneGroupFacts:
    """The zones, and the endpoint's other groups."""
    zones = await surface.resources.list_under("", ZONE_TYPE)
    groups = await surface.resources.list_under(parent_id(target.path), ZONE_GROUP_TYPE)
    return ZoneGroupFacts(
        zones=frozenset(each.id.lower() for each in zones),
        others=tuple(each for each in groups if each.id.lower() != target.path.lower()),
    )


def complete(new: Resource, old: Resource | None, facts: ZoneGroupFacts) -> Resource:
    """Keep of each zone what may be set."""
    del old, facts
    configs = cast("list[dict[str, Any]]", new.properties.get(CONFIGS) or [])
    kept = [
        {
            "name": each.get("name"),
            "properties": {"privateDnsZoneId": at(each, "properties", "privateDnsZoneId")},
        }
        for each in configs
    ]
    properties = new.properties | {CONFIGS: kept, "provisioningState": "Succeeded"}
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: ZoneGroupFacts) -> list[Problem]:
    """Its zones are there, and it is the endpoint's only group."""
    del old
    found = [
        not_found(new, zone, f"properties.{CONFIGS}[{place}].properties.privateDnsZoneId")
        for place, zone in enumerate(zone_ids(new))
        if zone.lower() not in facts.zones
    ]
    if facts.others:
        found.append(
            Problem(
                "PrivateEndpointCannotHaveMultiplePrivateDnsZoneGroups",
                f"A private endpoint has one private DNS zone group; it has "
                f"'{facts.others[0].name}'. Put more zones into that one.",
                "name",
            )
        )
    return found


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Who keeps names in a zone must be allowed to join it."""
    had = {each.lower() for each in zone_ids(old)} if old is not None else set[str]()
    joined = zone_ids(new) if new is not None else []
    return [(JOIN, zone) for zone in joined if zone.lower() not in had]


def show(group: Resource, showing: Showing) -> dict[str, Any]:
    """With the records that it keeps now."""
    kept = dict(showing.links.records_of(group))
    configs = [
        {
            "id": f"{group.id}/{CONFIGS}/{each['name']}",
            "name": each["name"],
            "type": f"{ZONE_GROUP_TYPE}/{CONFIGS}",
            "etag": f'"{group.etag}"',
            "properties": each["properties"]
            | {
                "provisioningState": "Succeeded",
                "recordSets": [
                    _record(record)
                    for record in kept.get(each["properties"]["privateDnsZoneId"], [])
                ],
            },
        }
        for each in group.properties[CONFIGS]
    ]
    return group.properties | {CONFIGS: configs}


def _record(record: Resource) -> dict[str, Any]:
    word = record.type.rpartition("/")[2]
    return {
        "recordType": word,
        "recordSetName": record.name,
        "fqdn": str(record.properties["fqdn"]).rstrip("."),
        "ttl": record.properties["ttl"],
        "provisioningState": "Succeeded",
        "ipAddresses": [next(iter(each.values())) for each in record.properties[RECORDS[word]]],
    }
