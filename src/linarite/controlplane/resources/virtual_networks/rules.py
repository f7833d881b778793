"""What a virtual network may be, and how it is shown.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from linarite.controlplane.paths import NETWORK_NAME
from linarite.controlplane.problems import (
    location_key,
    location_problems,
    missing_problems,
    moved_problems,
)
from linarite.controlplane.subnets import (
    SUBNETS,
    SentSubnet,
    completed,
    in_use,
    inline,
    range_problems,
    shown_properties,
    undeclared,
)
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.declared import settled_by_settings
from linarite.domain.private_link import SUBNET_TYPE, VIRTUAL_NETWORK_TYPE
from linarite.domain.resource import Resource
from linarite.privatelink.networks import Networks

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing

NAME = r"[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_])?"
READ_ONLY = frozenset(("provisioningState", "resourceGuid"))
LISTS: dict[str, Any] = {"virtualNetworkPeerings": [], "enableDdosProtection": False}
"""what Azure shows of every virtual network"""


class AddressSpace(msgspec.Struct, rename="camel"):
    """The ranges of a virtual network."""

    address_prefixes: list[str] | None = None


class InlineSubnet(msgspec.Struct):
    """A subnet within its virtual network."""

    name: Annotated[str, Meta(pattern=rf"^{NETWORK_NAME}\Z")]
    properties: SentSubnet | None = None


class SentNetwork(msgspec.Struct, rename="camel"):
    """What may be set."""

    address_space: AddressSpace | None = None
    subnets: list[InlineSubnet] | None = None


class NetworkFacts(msgspec.Struct, frozen=True):
    """What is known when a virtual network is admitted."""

    realm: Realm
    networks: Networks
    endpoints: dict[str, list[Resource]]
    """those in each of its subnets, by the subnet's name in lower case"""
    guid: str


def complete(new: Resource, old: Resource | None, facts: NetworkFacts) -> Resource:
    """Fill in what Azure fills in; subnets that a request says nothing of stay."""
    properties = dict(new.properties)
    if SUBNETS not in properties and old is not None:
        properties[SUBNETS] = inline(old)
    properties[SUBNETS] = [
        {"name": each["name"], "properties": completed(each.get("properties") or {})}
        for each in inline(msgspec.structs.replace(new, properties=properties))
    ]
    properties.setdefault("resourceGuid", facts.guid)
    properties["provisioningState"] = "Succeeded"
    return msgspec.structs.replace(
        new, location=location_key(new.location or "") or None, properties=properties
    )


def admit(new: Resource, old: Resource | None, facts: NetworkFacts) -> list[Problem]:
    """It lies in a region and has ranges; what is in use or declared stays."""
    return [
        *location_problems(new.location, facts.realm, VIRTUAL_NETWORK_TYPE),
        *(moved_problems(old.location, new.location, new.name) if old else []),
        *missing_problems(new.properties, "addressSpace"),
        *_twice_problems(new),
        *range_problems(new, undeclared(new, facts.networks)),
        *(_lost_problems(new, old, facts) if old else []),
    ]


def _twice_problems(new: Resource) -> list[Problem]:
    names = [each["name"].lower() for each in inline(new)]
    return [
        Problem(
            "DuplicateResourceName",
            f"The virtual network '{new.name}' has more than one subnet '{name}'.",
            "properties.subnets",
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _lost_problems(new: Resource, old: Resource, facts: NetworkFacts) -> list[Problem]:
    """Subnets that would be gone and may not go."""
    stay = {each["name"].lower() for each in inline(new)}
    found: list[Problem] = []
    for each in inline(old):
        name = each["name"]
        if name.lower() in stay:
            continue
        subnet_id = f"{old.id}/subnets/{name}"
        found += in_use(subnet_id, name, facts.endpoints.get(name.lower(), []))
        network = facts.networks.of_subnet(subnet_id)
        if network is not None:
            subnet = Resource(id=subnet_id, type=SUBNET_TYPE, name=name)
            found.append(settled_by_settings(subnet, network.setting, "properties.subnets"))
    return found


def show(network: Resource, showing: Showing) -> dict[str, Any]:
    """With its subnets as they are shown by themselves."""
    subnets = [
        {
            "id": (subnet_id := f"{network.id}/subnets/{each['name']}"),
            "name": each["name"],
            "type": SUBNET_TYPE,
            "etag": f'"{network.etag}"',
            "properties": shown_properties(subnet_id, each["properties"], showing),
        }
        for each in inline(network)
    ]
    return {**LISTS, **network.properties, SUBNETS: subnets}
