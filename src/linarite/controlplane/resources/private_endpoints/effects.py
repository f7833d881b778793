"""What private endpoints need from the stores, and what making or deleting one does."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from linarite.controlplane.resources.private_endpoints.rules import EndpointFacts
from linarite.domain.private_link import (
    ADDRESS,
    CONNECTION,
    CONNECTION_TYPE,
    DELETED_CONNECTION_TYPE,
    ENDPOINT_TYPE,
    GROUP_ID,
    SUBNET_TYPE,
    account_id_of,
    endpoint_id_of,
    first_state,
)
from linarite.domain.resource import ACCOUNT_TYPE, Delete, Put, Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change


async def gather(surface: Surface, target: Target) -> EndpointFacts:
    """Accounts, subnets, and which addresses other endpoints have."""
    accounts = await surface.resources.list_under("", ACCOUNT_TYPE)
    subnets = await surface.resources.list_under("", SUBNET_TYPE)
    endpoints = await surface.resources.list_under("", ENDPOINT_TYPE)
    return EndpointFacts(
        realm=surface.realm,
        networks=surface.networks,
        accounts={each.id.lower(): each for each in accounts},
        subnets=frozenset(each.id.lower() for each in subnets),
        taken={
            each.properties[ADDRESS]: each.id
            for each in endpoints
            if each.id.lower() != target.path.lower()
        },
        guid=str(uuid.uuid4()),
    )


async def beside(
    surface: Surface, endpoint: Resource, old: Resource | None
) -> tuple[list[Change], list[Job]]:
    """A new endpoint makes its connection, approved where its maker need not ask."""
    account = await surface.resources.get(account_id_of(endpoint))
    if old is not None or account is None:
        return [], []
    name = str(endpoint.properties[CONNECTION]).rpartition("/")[2]
    connection = Resource(
        id=f"{account.id}/privateEndpointConnections/{name}",
        type=CONNECTION_TYPE,
        name=name,
        location=endpoint.location,
        properties={
            "privateEndpoint": {"id": endpoint.id},
            "groupIds": [GROUP_ID],
            "privateLinkServiceConnectionState": first_state(endpoint),
            "provisioningState": "Succeeded",
        },
        system_data=endpoint.system_data,
    )
    return [Put(connection)], []


async def remove(surface: Surface, endpoint: Resource) -> None:
    """Its connection goes with it, that of a deleted account too."""
    made = [
        connection
        for kind in (CONNECTION_TYPE, DELETED_CONNECTION_TYPE)
        for connection in await surface.resources.list_under("", kind)
        if endpoint_id_of(connection).lower() == endpoint.id.lower()
    ]
    await surface.resources.commit([Delete(endpoint.id), *(Delete(each.id) for each in made)])
