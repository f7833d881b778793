"""Which virtual networks see a private zone.

Source: the specification of private DNS, 2024-06-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.controlplane.dns import global_problems
from linarite.controlplane.references import Reference
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.private_link import (
    VIRTUAL_NETWORK_TYPE,
    ZONE_LINK_TYPE,
    at,
)
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface

NAME = r"[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,78}[a-zA-Z0-9_])?"
READ_ONLY = frozenset(("provisioningState", "virtualNetworkLinkState"))
JOIN = "Microsoft.Network/virtualNetworks/join/action"


class SentLink(msgspec.Struct, rename="camel"):
    """What may be set."""

    virtual_network: Reference | None = None
    registration_enabled: bool | None = None
    resolution_policy: Literal["Default", "NxDomainRedirect"] | None = None


class LinkFacts(msgspec.Struct, frozen=True):
    """What is known when a link is admitted."""

    networks: frozenset[str]
    """the ids of those there are, in lower case"""
    others: tuple[Resource, ...]
    """links of zones of the same name"""


async def gather(surface: Surface, target: Target) -> LinkFacts:
    """The virtual networks, and the links of zones of the same name."""
    networks = await surface.resources.list_under("", VIRTUAL_NETWORK_TYPE)
    links = await surface.resources.list_under("", ZONE_LINK_TYPE)
    zone = target["zone"].lower()
    return LinkFacts(
        networks=frozenset(each.id.lower() for each in networks),
        others=tuple(
            each
            for each in links
            if each.id.lower() != target.path.lower()
            and parent_id(each.id).rpartition("/")[2].lower() == zone
        ),
    )


def network_of(link: Resource) -> str:
    """The virtual network's id; "" where a link names none."""
    return str(at(link.properties, "virtualNetwork", "id") or "")


def complete(new: Resource, old: Resource | None, facts: LinkFacts) -> Resource:
    """Fill in what Azure fills in."""
    del old, facts
    return msgspec.structs.replace(
        new,
        location=(new.location or "").lower() or None,
        properties={"registrationEnabled": False}
        | new.properties
        | {"provisioningState": "Succeeded", "virtualNetworkLinkState": "Completed"},
    )


def admit(new: Resource, old: Resource | None, facts: LinkFacts) -> list[Problem]:
    """The virtual network is there, and sees no other zone of the name."""
    network = network_of(new)
    target = "properties.virtualNetwork.id"
    found = global_problems(new.location, ZONE_LINK_TYPE)
    if old is not None and network_of(old).lower() != network.lower():
        said = f"The virtual network of link '{new.name}' can't be changed."
        return [*found, Problem("BadRequest", said, target)]
    if network.lower() not in facts.networks:
        said = f"The virtual network '{network[:500]}' was not found."
        found.append(Problem("BadRequest", said, target))
    for other in facts.others:
        if network_of(other).lower() == network.lower():
            said = (
                f"A virtual network cannot be linked to multiple zones with overlapping "
                f"namespaces. '{network}' is linked by '{other.id}' already."
            )
            found.append(Problem("BadRequest", said, target))
    return found


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """Who links a zone must be allowed into the virtual network."""
    return ((JOIN, network_of(new)),) if new is not None and old is None else ()
