"""Putting the networks that settings declare into the store, as virtual networks with subnets.

Rules of accounts and private endpoints name subnets by their ids; templates may write the virtual
network themselves, with more in it. What settings declared earlier and no longer do goes, unless
somebody has written it since.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.arm_id import RESOURCE_GROUP_TYPE, parent_id
from linarite.domain.declared import DECLARED_BY, is_declared
from linarite.domain.private_link import (
    ENDPOINT_TYPE,
    SUBNET_DEFAULTS,
    SUBNET_TYPE,
    VIRTUAL_NETWORK_TYPE,
    at,
    subnet_id_of,
)
from linarite.domain.resource import Put, Resource

if TYPE_CHECKING:
    from linarite.domain.resource import ResourceStore
    from linarite.privatelink.networks import Network, Networks

SUBNETS = "subnets"


async def declare_networks(resources: ResourceStore, networks: Networks, location: str) -> None:
    """Make the store hold the networks of settings."""
    for network in networks.all:
        await _declare(resources, network, location)
    wanted = {each.virtual_network_id.lower() for each in networks.all}
    for present in await resources.list_under("", VIRTUAL_NETWORK_TYPE):
        if not is_declared(present) or present.id.lower() in wanted:
            continue
        subnets = await resources.list_under(present.id, SUBNET_TYPE)
        if not all(map(_is_untouched, (present, *subnets))):
            continue
        below = f"{present.id}/".lower()
        endpoints = await resources.list_under("", ENDPOINT_TYPE)
        if not any(subnet_id_of(each).lower().startswith(below) for each in endpoints):
            await resources.delete(present.id)


async def _declare(resources: ResourceStore, network: Network, location: str) -> None:
    by = _by()
    group_id = parent_id(network.virtual_network_id)
    if await resources.get(group_id) is None:
        name = group_id.rpartition("/")[2]
        await resources.put(
            Resource(
                id=group_id,
                type=RESOURCE_GROUP_TYPE,
                name=name,
                location=location,
                system_data=by,
            )
        )
    present = await resources.get(network.virtual_network_id)
    if present is None:
        present = Resource(
            id=network.virtual_network_id,
            type=VIRTUAL_NETWORK_TYPE,
            name=network.virtual_network_id.rpartition("/")[2],
            location=location,
            properties={
                "resourceGuid": str(uuid.uuid4()),
                "provisioningState": "Succeeded",
                "addressSpace": {"addressPrefixes": []},
                SUBNETS: [],
            },
            system_data=by,
        )
    subnet = await resources.get(network.subnet_id)
    if subnet is None:
        subnet = Resource(
            id=network.subnet_id,
            type=SUBNET_TYPE,
            name=network.subnet_id.rpartition("/")[2],
            system_data=by,
        )
    same = subnet.properties and _ranges_in(subnet) == [*network.ranges]
    if _is_untouched(subnet) and not same:
        changed = subnet.system_data | {"lastModifiedAt": by["lastModifiedAt"]}
        subnet = msgspec.structs.replace(subnet, system_data=changed)
        await resources.commit([*_with_subnet(present, subnet, network)])


def _with_subnet(present: Resource, subnet: Resource, network: Network) -> list[Put]:
    """The virtual network and the subnet as settings say."""
    ranges: dict[str, Any] = {"addressPrefixes": [*network.ranges]}
    if len(network.ranges) == 1:
        ranges = {"addressPrefix": network.ranges[0]}
    of_subnet = {**SUBNET_DEFAULTS, **ranges}
    said = cast("list[str]", at(present.properties, "addressSpace", "addressPrefixes") or [])
    if _is_untouched(present):
        said = [each for each in said if each not in _ranges_in(subnet)]
    prefixes = [*said, *(each for each in network.ranges if each not in said)]
    inline = cast("list[dict[str, Any]]", present.properties.get(SUBNETS) or [])
    others = [each for each in inline if each["name"].lower() != subnet.name.lower()]
    properties = present.properties | {
        "addressSpace": {"addressPrefixes": prefixes},
        SUBNETS: [*others, {"name": subnet.name, "properties": of_subnet}],
    }
    return [
        Put(msgspec.structs.replace(present, properties=properties)),
        Put(msgspec.structs.replace(subnet, properties=of_subnet)),
    ]


def _ranges_in(subnet: Resource) -> list[str]:
    several = cast("list[str]", subnet.properties.get("addressPrefixes") or [])
    single = subnet.properties.get("addressPrefix")
    return several or ([str(single)] if single else [])


def _is_untouched(resource: Resource) -> bool:
    """Whether nobody but settings has written it."""
    return is_declared(resource) and resource.system_data.get("lastModifiedBy") == DECLARED_BY


def _by() -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "createdBy": DECLARED_BY,
        "createdByType": "Application",
        "createdAt": now,
        "lastModifiedBy": DECLARED_BY,
        "lastModifiedAt": now,
    }
