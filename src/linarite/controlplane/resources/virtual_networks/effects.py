"""What virtual networks need from the stores, and what writing or deleting one does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from linarite.controlplane.resources.virtual_networks.rules import NetworkFacts
from linarite.controlplane.subnets import as_resource, in_use, inline
from linarite.domain.declared import settled_by_settings
from linarite.domain.private_link import ENDPOINT_TYPE, SUBNET_TYPE, subnet_id_of
from linarite.domain.resource import Delete, Put

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change, Resource


async def gather(surface: Surface, target: Target) -> NetworkFacts:
    """Regions, networks of settings, and the endpoints in its subnets."""
    return NetworkFacts(
        realm=surface.realm,
        networks=surface.networks,
        endpoints=await _endpoints_by_subnet(surface, target.path),
        guid=str(uuid.uuid4()),
    )


async def beside(
    surface: Surface, network: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """Its subnets are written and removed with it."""
    del old
    present = {
        each.name.lower(): each
        for each in await surface.resources.list_under(network.id, SUBNET_TYPE)
    }
    changes: list[Change] = []
    for entry in inline(network):
        was = present.pop(entry["name"].lower(), None)
        if was is None or was.properties != entry["properties"]:
            changes.append(Put(as_resource(network, entry)))
    return [*changes, *(Delete(gone.id) for gone in present.values())], []


async def keep(surface: Surface, network: Resource) -> list[Problem]:
    """One that settings declare stays, and one with endpoints in it."""
    found = [
        settled_by_settings(network, each.setting)
        for each in surface.networks.all
        if each.virtual_network_id.lower() == network.id.lower()
    ]
    for name, endpoints in (await _endpoints_by_subnet(surface, network.id)).items():
        found += in_use(f"{network.id}/subnets/{name}", name, endpoints)
    return found


async def _endpoints_by_subnet(surface: Surface, network_id: str) -> dict[str, list[Resource]]:
    below = f"{network_id}/subnets/".lower()
    found: dict[str, list[Resource]] = {}
    for endpoint in await surface.resources.list_under("", ENDPOINT_TYPE):
        subnet = subnet_id_of(endpoint).lower()
        if subnet.startswith(below):
            found.setdefault(subnet[len(below) :], []).append(endpoint)
    return found
