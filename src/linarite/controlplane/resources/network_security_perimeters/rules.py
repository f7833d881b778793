"""What a network security perimeter may be.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.problems import location_key, location_problems, moved_problems
from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_location
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.perimeter import ASSOCIATION_TYPE, PERIMETER_TYPE
from linarite.domain.resource import ACCOUNT_TYPE, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

READ_ONLY = frozenset(("provisioningState", "perimeterGuid"))


class PerimeterFacts(msgspec.Struct, frozen=True):
    """What is known when a perimeter is admitted."""

    realm: Realm
    guid: str


async def gather(surface: Surface, target: Target) -> PerimeterFacts:
    """The regions, and a new GUID."""
    del target
    return PerimeterFacts(surface.realm, str(uuid.uuid4()))


def complete(new: Resource, old: Resource | None, facts: PerimeterFacts) -> Resource:
    """Fill in what Azure fills in; the GUID stays."""
    guid = old.properties["perimeterGuid"] if old is not None else facts.guid
    return msgspec.structs.replace(
        new,
        location=location_key(new.location or "") or None,
        properties={"provisioningState": "Succeeded", "perimeterGuid": guid},
    )


def admit(new: Resource, old: Resource | None, facts: PerimeterFacts) -> list[Problem]:
    """Every problem of the perimeter as it would be."""
    return [
        *location_problems(new.location, facts.realm, PERIMETER_TYPE),
        *(moved_problems(old.location, new.location, new.name) if old else []),
    ]


async def keep(surface: Surface, perimeter: Resource) -> list[Problem]:
    """One with resources in it stays: they would lose its rules unasked."""
    inside = await surface.resources.list_under(perimeter.id, ASSOCIATION_TYPE)
    return [
        Problem(
            "NspHasAssociations",
            f"The network security perimeter '{perimeter.name}' has the resource association "
            f"'{each.name}'. Delete it first.",
            status=409,
        )
        for each in inside
    ]


async def associable(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The types of resources that a perimeter can be put around."""
    del request
    location = require_location(surface, target)
    kind = "perimeterAssociableResourceTypes"
    below = f"/subscriptions/{surface.realm.subscription}/providers/Microsoft.Network"
    name = ACCOUNT_TYPE.replace("/", ".")
    return Answer(
        200,
        {
            "value": [
                {
                    "id": f"{below}/locations/{location}/{kind}/{name}",
                    "name": name,
                    "type": f"Microsoft.Network/{kind}",
                    "properties": {
                        "displayName": "Azure AI Services",
                        "resourceType": ACCOUNT_TYPE,
                        "publicDnsZones": [],
                    },
                }
            ]
        },
    )
