"""What a subnet may be, and how it is shown.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.subnets import (
    completed,
    in_use,
    prefixes,
    range_problems,
    shown_properties,
    undeclared,
    with_subnet,
    without_subnet,
)
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.declared import settled_by_settings
from linarite.domain.private_link import ENDPOINT_TYPE, subnet_id_of
from linarite.domain.resource import Delete, Put, Resource
from linarite.privatelink.networks import Networks

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change


class SubnetFacts(msgspec.Struct, frozen=True):
    """What is known when a subnet is admitted."""

    network: Resource | None
    """the virtual network that it lies in"""
    networks: Networks


async def gather(surface: Surface, target: Target) -> SubnetFacts:
    """The virtual network it lies in, and the networks of settings."""
    return SubnetFacts(await surface.resources.get(parent_id(target.path)), surface.networks)


def complete(new: Resource, old: Resource | None, facts: SubnetFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(new, properties=completed(new.properties))


def admit(new: Resource, old: Resource | None, facts: SubnetFacts) -> list[Problem]:
    """Its range lies in the virtual network's and overlaps no other subnet's."""
    del old
    if not prefixes(new.properties):
        missing = "The required property 'properties.addressPrefix' is missing."
        return [Problem("InvalidRequestContent", missing, "properties.addressPrefix")]
    if facts.network is None:
        return []
    network = with_subnet(facts.network, new)
    return range_problems(network, undeclared(network, facts.networks))


async def beside(
    surface: Surface, subnet: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """The virtual network says the same of it."""
    del old
    network = await surface.resources.get(parent_id(subnet.id))
    return ([Put(with_subnet(network, subnet))] if network else []), []


async def keep(surface: Surface, subnet: Resource) -> list[Problem]:
    """One that settings declare stays, and one with endpoints in it."""
    network = surface.networks.of_subnet(subnet.id)
    endpoints = await surface.resources.list_under("", ENDPOINT_TYPE)
    within = [each for each in endpoints if subnet_id_of(each).lower() == subnet.id.lower()]
    return [
        *([settled_by_settings(subnet, network.setting)] if network else []),
        *in_use(subnet.id, subnet.name, within),
    ]


async def remove(surface: Surface, subnet: Resource) -> None:
    """It goes from its virtual network too."""
    network = await surface.resources.get(parent_id(subnet.id))
    also = [Put(without_subnet(network, subnet.name))] if network else []
    await surface.resources.commit([Delete(subnet.id), *also])


def show(subnet: Resource, showing: Showing) -> dict[str, Any]:
    """With the endpoints that lie in it."""
    return shown_properties(subnet.id, subnet.properties, showing)
