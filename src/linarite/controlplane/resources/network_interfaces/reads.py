"""The network interfaces of private endpoints, where scripts read their addresses.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.private_link import (
    ADDRESS,
    GROUP_ID,
    INTERFACE_TYPE,
    MEMBER_NAME,
    interface_id,
    interface_name,
    subnet_id_of,
)
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.surface import Surface


def derived(surface: Surface, parent: str) -> Sequence[Resource]:
    """One for each endpoint in the scope."""
    below = f"{parent.lower()}/"
    return [
        _interface(surface, endpoint)
        for endpoint in surface.links.endpoints()
        if endpoint.id.lower().startswith(below)
    ]


def _interface(surface: Surface, endpoint: Resource) -> Resource:
    address = str(endpoint.properties[ADDRESS])
    own = interface_id(endpoint)
    configuration = {
        "id": f"{own}/ipConfigurations/privateEndpointIpConfig",
        "name": "privateEndpointIpConfig",
        "type": f"{INTERFACE_TYPE}/ipConfigurations",
        "properties": {
            "privateIPAddress": address,
            "privateIPAllocationMethod": "Static"
            if endpoint.properties.get("ipConfigurations")
            else "Dynamic",
            "privateIPAddressVersion": "IPv6" if ":" in address else "IPv4",
            "primary": True,
            "provisioningState": "Succeeded",
            "subnet": {"id": subnet_id_of(endpoint)},
            "privateLinkConnectionProperties": {
                "groupId": GROUP_ID,
                "requiredMemberName": MEMBER_NAME,
                "fqdns": list(surface.links.hosts(endpoint)),
            },
        },
    }
    return Resource(
        id=own,
        type=INTERFACE_TYPE,
        name=interface_name(endpoint),
        location=endpoint.location,
        tags={},
        properties={
            "provisioningState": "Succeeded",
            "resourceGuid": endpoint.properties["resourceGuid"],
            "ipConfigurations": [configuration],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "privateEndpoint": {"id": endpoint.id},
            "nicType": "Standard",
            "hostedWorkloads": [],
            "tapConfigurations": [],
        },
    )
