"""Subnets, which are written by themselves and within their virtual network: both at once.

A virtual network keeps a copy of its subnets, as they were sent, and each subnet is a resource of
its own. Whichever is written, both say the same after the one transaction.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.private_link import SUBNET_DEFAULTS, SUBNET_TYPE, at
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controlplane.surface import Showing
    from linarite.privatelink.networks import Networks

IpNetwork = IPv4Network | IPv6Network

SUBNETS = "subnets"
READ_ONLY = frozenset(
    (
        "provisioningState",
        "privateEndpoints",
        "ipConfigurations",
        "purpose",
        "resourceNavigationLinks",
        "serviceAssociationLinks",
    )
)


class SentSubnet(msgspec.Struct, rename="camel"):
    """What may be set of a subnet."""

    address_prefix: str | None = None
    address_prefixes: list[str] | None = None
    delegations: list[dict[str, Any]] | None = None
    private_endpoint_network_policies: str | None = None
    private_link_service_network_policies: str | None = None


def completed(properties: dict[str, Any]) -> dict[str, Any]:
    """A subnet's properties with what Azure fills in, without what only the server sets."""
    sent = {
        key: value
        for key, value in properties.items()
        if key not in READ_ONLY and value is not None
    }
    return SUBNET_DEFAULTS | sent


def inline(network: Resource) -> list[dict[str, Any]]:
    """The subnets that a virtual network has in itself."""
    return cast("list[dict[str, Any]]", network.properties.get(SUBNETS) or [])


def as_resource(network: Resource, entry: dict[str, Any]) -> Resource:
    """One of those, as the resource that it is too."""
    return Resource(
        id=f"{network.id}/subnets/{entry['name']}",
        type=SUBNET_TYPE,
        name=entry["name"],
        properties=entry["properties"],
    )


def with_subnet(network: Resource, subnet: Resource) -> Resource:
    """The virtual network with a subnet in it as it is now."""
    entry = {"name": subnet.name, "properties": subnet.properties}
    others = [each for each in inline(network) if each["name"].lower() != subnet.name.lower()]
    return _with(network, sorted([*others, entry], key=lambda each: each["name"]))


def without_subnet(network: Resource, name: str) -> Resource:
    """The virtual network when a subnet is gone."""
    return _with(network, [it for it in inline(network) if it["name"].lower() != name.lower()])


def _with(network: Resource, entries: list[dict[str, Any]]) -> Resource:
    return msgspec.structs.replace(network, properties=network.properties | {SUBNETS: entries})


def shown_properties(
    subnet_id: str, properties: dict[str, Any], showing: Showing
) -> dict[str, Any]:
    """A subnet's properties as clients read them: with the endpoints that lie in it."""
    view = {**properties, "provisioningState": "Succeeded"}
    endpoints = [{"id": each.id} for each in showing.links.endpoints_in(subnet_id)]
    return view | (
        {"privateEndpoints": endpoints, "purpose": "PrivateEndpoints"} if endpoints else {}
    )


def prefixes(properties: dict[str, Any]) -> list[str]:
    """The ranges that a subnet says it has."""
    several = cast("list[str]", properties.get("addressPrefixes") or [])
    single = properties.get("addressPrefix")
    return [*several] if several else [str(single)] if single else []


def address_space(network: Resource) -> list[str]:
    """The ranges that a virtual network says it has."""
    return cast("list[str]", at(network.properties, "addressSpace", "addressPrefixes") or [])


def range_problems(
    network: Resource, subnets: Iterable[tuple[str, dict[str, Any]]]
) -> list[Problem]:
    """Ranges that are none, lie outside the virtual network's, or overlap."""
    found: list[Problem] = []
    space = [each for text in address_space(network) if (each := _range(text, found))]
    seen: list[tuple[str, IpNetwork]] = []
    for name, properties in subnets:
        for text in prefixes(properties):
            own = _range(text, found)
            if own is None:
                continue
            if not any(_within(own, each) for each in space):
                found.append(
                    Problem(
                        "NetcfgSubnetRangeOutsideVnet",
                        f"Subnet '{name}' is not valid because its IP address range is outside the "
                        f"IP address range of virtual network '{network.name}'.",
                        "properties.subnets",
                    )
                )
            found += [
                Problem(
                    "NetcfgSubnetRangesOverlap",
                    f"Subnet '{name}' is not valid because its IP address range overlaps with that "
                    f"of an existing subnet in virtual network '{network.name}'.",
                    "properties.subnets",
                )
                for other, range_ in seen
                if other != name and own.version == range_.version and own.overlaps(range_)
            ]
            seen.append((name, own))
    return found


def undeclared(network: Resource, networks: Networks) -> list[tuple[str, dict[str, Any]]]:
    """The subnets whose ranges are people's to say: of a declared one, settings know them."""
    return [
        (each["name"], each["properties"])
        for each in inline(network)
        if networks.of_subnet(f"{network.id}/subnets/{each['name']}") is None
    ]


def in_use(subnet_id: str, name: str, endpoints: list[Resource]) -> list[Problem]:
    """Endpoints that lie in a subnet keep it from being deleted."""
    users = ", ".join(each.id for each in endpoints)
    return (
        [
            Problem(
                "InUseSubnetCannotBeDeleted",
                f"Subnet {name} is in use by {users} and cannot be deleted. In order to delete the "
                "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
                subnet_id,
            )
        ]
        if endpoints
        else []
    )


def _range(text: str, problems: list[Problem]) -> IpNetwork | None:
    try:
        return ip_network(text)
    except ValueError:
        problems.append(
            Problem(
                "InvalidCIDRNotation",
                f"The address prefix '{text[:100]}' has an invalid CIDR notation. For the given "
                "prefix length, the address prefix should be a network's first address.",
                "properties.addressPrefix",
            )
        )
        return None


def _within(inner: IpNetwork, outer: IpNetwork) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return (
        isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)
    )
