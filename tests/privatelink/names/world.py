"""An account with a private endpoint, a zone and a link, as the store has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.privatelink.names.views import NetworkView, PublicView
from tests.controlplane.private_links import (
    ENDPOINT,
    VNET,
    ZONES,
    endpoint,
    made,
    private_rig,
)

if TYPE_CHECKING:
    from tests.controlplane.rig import Rig

DOMAIN = "linarite.internal"
PUBLIC_ADDRESS = "203.0.113.7"
AZURE_ZONE = f"{ZONES}/privatelink.openai.azure.com"
OWN_ZONE = f"{ZONES}/privatelink.openai.{DOMAIN}"
NAME = f"alpha.openai.{DOMAIN}"
PRIVATE_NAME = f"alpha.privatelink.openai.{DOMAIN}"


async def linked_zone(rig: Rig, zone: str = AZURE_ZONE, **link: object) -> None:
    """A private zone, linked to the virtual network."""
    await made(rig, zone, {"location": "global"})
    properties = {"virtualNetwork": {"id": VNET}, "registrationEnabled": False, **link}
    await made(
        rig, f"{zone}/virtualNetworkLinks/apps", {"location": "global", "properties": properties}
    )


async def zone_group(rig: Rig, *zones: str) -> dict[str, Any]:
    """The endpoint's name is kept in zones."""
    configs = [
        {"name": f"zone{place}", "properties": {"privateDnsZoneId": zone}}
        for place, zone in enumerate(zones)
    ]
    body = {"properties": {"privateDnsZoneConfigs": configs}}
    return (await made(rig, f"{ENDPOINT}/privateDnsZoneGroups/default", body)).body


async def connected(*, manual: bool = False) -> Rig:
    """The whole of it, in a zone named as Azure's is."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint(manual=manual))
    await linked_zone(rig)
    await zone_group(rig, AZURE_ZONE)
    return rig


def inside(rig: Rig) -> NetworkView:
    """What the virtual network sees."""
    return NetworkView(rig.links, [PUBLIC_ADDRESS], "127.0.0.1", VNET)


def outside(rig: Rig) -> PublicView:
    """What everybody else sees."""
    return PublicView(rig.links, [PUBLIC_ADDRESS], "127.0.0.1")
