"""Private endpoints and what belongs to them: types, and what their resources say.

Source: the specifications of Microsoft.Network, 2024-07-01, and of its private DNS, 2024-06-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.domain.account_names import private_zones
from linarite.domain.arm_id import parent_id
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

VIRTUAL_NETWORK_TYPE = "Microsoft.Network/virtualNetworks"
SUBNET_TYPE = f"{VIRTUAL_NETWORK_TYPE}/subnets"
INTERFACE_TYPE = "Microsoft.Network/networkInterfaces"
ENDPOINT_TYPE = "Microsoft.Network/privateEndpoints"
ZONE_GROUP_TYPE = f"{ENDPOINT_TYPE}/privateDnsZoneGroups"
ZONE_TYPE = "Microsoft.Network/privateDnsZones"
ZONE_LINK_TYPE = f"{ZONE_TYPE}/virtualNetworkLinks"
SUBNET_DEFAULTS: dict[str, Any] = {
    "delegations": [],
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
}
"""what Azure fills in"""
CONNECTION_TYPE = f"{ACCOUNT_TYPE}/privateEndpointConnections"
DELETED_CONNECTION_TYPE = (
    "Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts"
    "/privateEndpointConnections"
)
"""what a deleted account's connections are until it is recovered or purged"""

RECORDS = {
    "A": "aRecords",
    "AAAA": "aaaaRecords",
    "CNAME": "cnameRecord",
    "MX": "mxRecords",
    "PTR": "ptrRecords",
    "SOA": "soaRecord",
    "SRV": "srvRecords",
    "TXT": "txtRecords",
}
"""the types of record sets, and the property that has their records"""
APEX = "@"
"""what a record set of the zone's own name is called"""

GROUP_ID = "account"
"""the one part of an account that an endpoint can lead to: all of it"""
MEMBER_NAME = "default"
AZURE_SUFFIX = "azure.com"
"""what Azure's own private zones end in; here they stand for those of this server's domain"""

ADDRESS = "address"
"""an endpoint's address in its network; kept back"""
CONNECTION = "connectionId"
"""the connection that an endpoint made; kept back"""
AUTOMATIC = "privateLinkServiceConnections"
MANUAL = "manualPrivateLinkServiceConnections"
RECORD_TTL_S = 10
"""how long an endpoint's address may be remembered, as on Azure"""


def at(value: object, *path: str) -> Any:  # noqa: ANN401 - JSON
    """What lies at a path in nested JSON objects; None where a step is missing."""
    for step in path:
        value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
    return value


def connection_sent(endpoint: Resource) -> tuple[str, dict[str, Any]] | None:
    """The one connection that an endpoint asks for: in which property it stands, and itself."""
    for word in (AUTOMATIC, MANUAL):
        for sent in cast("list[dict[str, Any]]", endpoint.properties.get(word) or []):
            return word, sent
    return None


def account_id_of(endpoint: Resource) -> str:
    """The account that an endpoint leads to; "" where it names none."""
    sent = connection_sent(endpoint)
    return str(at(sent[1], "properties", "privateLinkServiceId") or "") if sent else ""


def subnet_id_of(endpoint: Resource) -> str:
    """The subnet that an endpoint lies in; "" where it names none."""
    return str(at(endpoint.properties, "subnet", "id") or "")


def endpoint_id_of(connection: Resource) -> str:
    """The endpoint at the other end of a connection."""
    return str(at(connection.properties, "privateEndpoint", "id") or "")


def state_of(connection: Resource | None) -> dict[str, Any]:
    """What a connection's owner has decided; a connection that is gone is `Disconnected`."""
    if connection is None:
        return {
            "status": "Disconnected",
            "description": "The connection was removed by the owner of the resource.",
            "actionsRequired": "None",
        }
    return cast("dict[str, Any]", connection.properties["privateLinkServiceConnectionState"])


def first_state(endpoint: Resource) -> dict[str, Any]:
    """What a connection is when its endpoint is made: approved, unless it asks its owner."""
    word, link = connection_sent(endpoint) or (AUTOMATIC, {})
    if word == AUTOMATIC:
        return {"status": "Approved", "description": "Auto-Approved", "actionsRequired": "None"}
    message = str(at(link, "properties", "requestMessage") or "")
    return {"status": "Pending", "description": message, "actionsRequired": "None"}


def is_approved(connection: Resource | None) -> bool:
    """Whether traffic may pass."""
    return connection is not None and state_of(connection)["status"] == "Approved"


def interface_name(endpoint: Resource) -> str:
    """The name of the network interface that an endpoint has."""
    given = endpoint.properties.get("customNetworkInterfaceName")
    return str(given or f"{endpoint.name}.nic.{endpoint.properties.get('resourceGuid', '')}")


def interface_id(endpoint: Resource) -> str:
    """The id of that interface: it lies in the endpoint's group."""
    return f"{parent_id(endpoint.id)}/providers/{INTERFACE_TYPE}/{interface_name(endpoint)}"


def zone_names(zone: str, suffix: str) -> tuple[str, ...]:
    """The names under which a zone answers: its own, and for Azure's private zones this server's.

    `privatelink.openai.azure.com`, as everybody's templates have it, means
    `privatelink.openai.<suffix>` too.
    """
    name = zone.lower().rstrip(".")
    ours = dict(zip(private_zones(AZURE_SUFFIX), private_zones(suffix), strict=True))
    return tuple(dict.fromkeys((name, ours.get(name, name))))


def holds_endpoints(zone: str, suffix: str) -> bool:
    """Whether endpoints of accounts are found in a zone of that name."""
    return not set(private_zones(suffix)).isdisjoint(zone_names(zone, suffix))
