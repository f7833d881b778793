"""A control plane with a network around it, an account, and what private endpoints need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.caller import MANAGEMENT_KEY
from linarite.privatelink.networks import Network, Networks
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig

if TYPE_CHECKING:
    from linarite.controlplane.caller import Caller
    from linarite.controlplane.request import Answer

NETWORK = f"{GROUP}/providers/Microsoft.Network"
VNET = f"{NETWORK}/virtualNetworks/apps"
SUBNET = f"{VNET}/subnets/endpoints"
ENDPOINTS = f"{NETWORK}/privateEndpoints"
ENDPOINT = f"{ENDPOINTS}/pe"
ZONES = f"{NETWORK}/privateDnsZones"
ALPHA = f"{ACCOUNTS}/alpha"
CONNECTIONS = f"{ALPHA}/privateEndpointConnections"
ADDRESSES = ("127.0.0.2", "127.0.0.3")


def network(name: str = "apps", subnet: str = SUBNET, port: int = 0) -> Network:
    """A network of settings."""
    return Network(
        name=name,
        subnet_id=subnet,
        ranges=("127.0.0.0/8",),
        endpoint_addresses=ADDRESSES,
        endpoint_port=port,
        dns=None,
    )


def endpoint(
    *, manual: bool = False, account: str = ALPHA, subnet: str = SUBNET, **properties: object
) -> dict[str, Any]:
    """A private endpoint as templates have it."""
    word = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    link = {"privateLinkServiceId": account, "groupIds": ["account"]}
    if manual:
        link["requestMessage"] = "please"
    return {
        "location": "local",
        "properties": {
            "subnet": {"id": subnet},
            word: [{"name": "pe", "properties": link}],
            **properties,
        },
    }


async def private_rig(networks: Networks | None = None) -> Rig:
    """A group with the account `alpha` and the virtual network `apps`."""
    rig = await Rig(networks=networks or Networks([network()])).with_group()
    account = ACCOUNT | {"properties": {"customSubDomainName": "alpha"}}
    assert (await rig.ask("PUT", ALPHA, account)).status == 201
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    subnet = {"name": "endpoints", "properties": {"addressPrefix": "10.0.1.0/24"}}
    body = {"location": "local", "properties": {**space, "subnets": [subnet]}}
    assert (await rig.ask("PUT", VNET, body)).status == 201
    return rig


async def made(rig: Rig, path: str, body: object, caller: Caller = MANAGEMENT_KEY) -> Answer:
    """What a PUT answers that must succeed."""
    answer = await rig.ask("PUT", path, body, caller=caller)
    assert answer.status in {200, 201}, answer.body
    return answer


async def state(rig: Rig, path: str = ENDPOINT) -> str:
    """The state of an endpoint's connection, as the endpoint shows it."""
    properties = (await rig.ask("GET", path)).body["properties"]
    for word in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        for link in properties[word]:
            return link["properties"]["privateLinkServiceConnectionState"]["status"]
    raise AssertionError(properties)


async def connection(rig: Rig) -> dict[str, Any]:
    """The one connection of the account."""
    (only,) = (await rig.ask("GET", CONNECTIONS)).body["value"]
    return only


async def decide(rig: Rig, status: str, description: str = "by hand") -> Answer:
    """Approve or reject the one connection."""
    only = await connection(rig)
    said = {"status": status, "description": description}
    body = {"properties": {"privateLinkServiceConnectionState": said}}
    return await rig.ask("PUT", only["id"], body)
