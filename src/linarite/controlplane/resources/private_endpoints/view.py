"""A private endpoint as clients read it: what it is, and what its connection's owner has said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.domain.private_link import (
    ADDRESS,
    AUTOMATIC,
    MANUAL,
    first_state,
    interface_id,
    state_of,
)

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource


def show(endpoint: Resource, showing: Showing) -> dict[str, Any]:
    """The stored properties and those that follow from them.

    As on Azure, `customDnsConfigs` is empty once a zone group keeps the names.
    """
    links = showing.links
    trouble = links.troubles.get(endpoint.id.lower(), "")
    state = dict(state_of(links.connection_of(endpoint)))
    if not endpoint.etag:  # a preview: its connection would be made with it
        state = first_state(endpoint)
    if trouble:
        state["actionsRequired"] = trouble
    hosts = () if links.zone_groups(endpoint.id) else links.hosts(endpoint)
    outcome = "Failed" if trouble else "Succeeded"
    return {
        "customNetworkInterfaceName": "",
        "ipVersionType": "IPv6" if ":" in endpoint.properties[ADDRESS] else "IPv4",
        **endpoint.properties,
        "provisioningState": outcome,
        AUTOMATIC: _links(endpoint, AUTOMATIC, state, outcome),
        MANUAL: _links(endpoint, MANUAL, state, outcome),
        "networkInterfaces": [{"id": interface_id(endpoint)}],
        "customDnsConfigs": [
            {"fqdn": host, "ipAddresses": [endpoint.properties[ADDRESS]]} for host in hosts
        ],
    }


def _links(
    endpoint: Resource, word: str, state: dict[str, Any], outcome: str
) -> list[dict[str, Any]]:
    sent = cast("list[dict[str, Any]]", endpoint.properties.get(word) or [])
    return [
        {
            "id": f"{endpoint.id}/{word}/{each['name']}",
            "name": each["name"],
            "type": f"{endpoint.type}/{word}",
            "etag": f'"{endpoint.etag}"',
            "properties": each["properties"]
            | {"provisioningState": outcome, "privateLinkServiceConnectionState": state},
        }
        for each in sent
    ]
