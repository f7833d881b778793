"""What a private DNS zone may be, and how it is shown.

Source: the specification of private DNS, 2024-06-01.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.dns import global_problems
from linarite.domain.arm_errors import Problem
from linarite.domain.private_link import ZONE_LINK_TYPE, ZONE_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource

LABEL = r"[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
NAME = rf"(?=.{{1,253}}$){LABEL}(\.{LABEL})+"
COUNTS: dict[str, int] = {
    "maxNumberOfRecordSets": 25_000,
    "maxNumberOfVirtualNetworkLinks": 1000,
    "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
}
READ_ONLY = frozenset(
    (
        "provisioningState",
        "internalId",
        "numberOfRecordSets",
        "numberOfVirtualNetworkLinks",
        "numberOfVirtualNetworkLinksWithRegistration",
        *COUNTS,
    )
)


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new,
        location=(new.location or "").lower() or None,
        properties=new.properties | {"provisioningState": "Succeeded"},
    )


def admit(new: Resource, old: Resource | None, facts: None) -> list[Problem]:
    """A zone lies everywhere."""
    del old, facts
    return global_problems(new.location, ZONE_TYPE)


async def keep(surface: Surface, zone: Resource) -> list[Problem]:
    """A zone that is linked stays."""
    links = await surface.resources.list_under(zone.id, ZONE_LINK_TYPE)
    if not links:
        return []
    return [
        Problem(
            "CannotDeleteResource",
            f"Cannot delete resource while nested resources exist. Some existing nested resource "
            f"IDs include: '{links[0].id}'. Please delete all nested resources before deleting "
            "this resource.",
            status=409,
        )
    ]


def show(zone: Resource, showing: Showing) -> dict[str, Any]:
    """With what it holds, counted."""
    links = showing.links.links(zone.id)
    registering = [each for each in links if each.properties.get("registrationEnabled")]
    return {
        **COUNTS,
        **zone.properties,
        "internalId": uuid.uuid5(uuid.NAMESPACE_URL, zone.id.lower()).hex,
        "numberOfRecordSets": len(showing.links.records(zone.id)) + 1,  # and the SOA
        "numberOfVirtualNetworkLinks": len(links),
        "numberOfVirtualNetworkLinksWithRegistration": len(registering),
    }
