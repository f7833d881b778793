"""Virtual networks, private endpoints and private DNS with azure-cli, unchanged."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.contract.az.conftest import ENDPOINT_PORT, SUBNET, SUBSCRIPTION, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.az.conftest import Az

GROUP = "az-private"
WHERE = ("--resource-group", GROUP)
ACCOUNT = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    "/providers/Microsoft.CognitiveServices/accounts/az-private"
)
CONNECTION = ("--private-connection-resource-id", ACCOUNT, "--group-id", "account")
ZONE = "privatelink.openai.azure.com"


@pytest.fixture(scope="module", autouse=True)
def account(az: Az) -> Iterator[None]:
    """A group with an account and a virtual network, as the quickstart of Azure makes them."""
    az("group", "create", "--name", GROUP, "--location", "local")
    az(
        *("cognitiveservices", "account", "create", "--name", "az-private", *WHERE),
        *("--kind", "OpenAI", "--sku", "S0", "--location", "local"),
        *("--custom-domain", "az-private", "--yes"),
    )
    az(
        *("network", "vnet", "create", "--name", "vnet-apps", *WHERE, "--location", "local"),
        *("--address-prefixes", "10.0.0.0/16", "--subnet-name", "snet-endpoints"),
        *("--subnet-prefixes", "10.0.1.0/24"),
    )
    yield
    az("cognitiveservices", "account", "delete", "--name", "az-private", *WHERE)


def listens(address: str) -> bool:
    """Whether an endpoint takes connections."""
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex((address, ENDPOINT_PORT)) == 0


def address_of(az: Az, endpoint: str) -> str:
    """Where scripts read it: at the network interface."""
    query = ("--query", "networkInterfaces[0].id", "--output", "json")
    interface = az("network", "private-endpoint", "show", "--name", endpoint, *WHERE, *query)
    shown = az("network", "nic", "show", "--ids", interface)
    return shown["ipConfigurations"][0]["privateIPAddress"]


def test_virtual_networks_and_subnets(az: Az) -> None:
    """Made, listed, changed, deleted."""
    vnet = ("network", "vnet")
    assert "vnet-apps" in [each["name"] for each in az(*vnet, "list", *WHERE)]
    subnet = ("--vnet-name", "vnet-apps", *WHERE, "--name")
    az(*vnet, "subnet", "create", *subnet, "snet-apps", "--address-prefixes", "10.0.2.0/24")
    az(
        *(*vnet, "subnet", "update", *subnet, "snet-apps"),
        *("--private-endpoint-network-policies", "Enabled"),
    )
    shown = az(*vnet, "subnet", "show", *subnet, "snet-apps")
    assert shown["privateEndpointNetworkPolicies"] == "Enabled"
    whole = az(*vnet, "show", "--name", "vnet-apps", *WHERE)
    assert [each["name"] for each in whole["subnets"]] == ["snet-apps", "snet-endpoints"]
    az(*vnet, "subnet", "delete", *subnet, "snet-apps")
    assert len(az(*vnet, "subnet", "list", "--vnet-name", "vnet-apps", *WHERE)) == 1
    with pytest.raises(Refused, match="NetcfgSubnetRangeOutsideVnet"):
        az(*vnet, "subnet", "create", *subnet, "far", "--address-prefixes", "10.9.0.0/24")


def test_an_endpoint_with_its_names(az: Az) -> None:
    """The whole way of Azure's guide: endpoint, zone, link, zone group; and back."""
    made = az(
        *("network", "private-endpoint", "create", "--name", "pe", *WHERE, "--location", "local"),
        *("--subnet", SUBNET, *CONNECTION, "--connection-name", "pe-connection"),
    )
    (link,) = made["privateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Approved"
    address = address_of(az, "pe")
    assert listens(address)
    dns = ("network", "private-dns")
    az(*dns, "zone", "create", "--name", ZONE, *WHERE)
    az(
        *(*dns, "link", "vnet", "create", "--name", "link", "--zone-name", ZONE, *WHERE),
        *("--virtual-network", SUBNET.rpartition("/subnets/")[0]),
        *("--registration-enabled", "false"),
    )
    group = ("network", "private-endpoint", "dns-zone-group")
    az(
        *(*group, "create", "--endpoint-name", "pe", "--name", "default", *WHERE),
        *("--private-dns-zone", ZONE, "--zone-name", "openai"),
    )
    zone = ("--zone-name", ZONE, *WHERE)
    (record,) = az(*dns, "record-set", "a", "list", *zone)
    assert (record["name"], record["aRecords"]) == ("az-private", [{"ipv4Address": address}])
    shown = az(*group, "show", "--endpoint-name", "pe", "--name", "default", *WHERE)
    assert shown["privateDnsZoneConfigs"][0]["recordSets"][0]["ipAddresses"] == [address]
    a = (*dns, "record-set", "a")
    az(*a, "add-record", *zone, "--record-set-name", "more", "--ipv4-address", "10.0.1.9")
    az(*a, "add-record", *zone, "--record-set-name", "more", "--ipv4-address", "10.0.1.10")
    added = az(*a, "show", *zone, "--name", "more")
    assert [each["ipv4Address"] for each in added["aRecords"]] == ["10.0.1.9", "10.0.1.10"]
    az(*a, "delete", *zone, "--name", "more", "--yes")
    every = az(*dns, "record-set", "list", *zone)
    assert {each["type"].rpartition("/")[2] for each in every} == {"A", "SOA"}
    az(*group, "delete", "--endpoint-name", "pe", "--name", "default", *WHERE)
    assert az(*a, "list", *zone) == []
    az(*dns, "link", "vnet", "delete", "--name", "link", *zone, "--yes")
    az(*dns, "zone", "delete", "--name", ZONE, *WHERE, "--yes")
    az("network", "private-endpoint", "delete", "--name", "pe", *WHERE)
    assert not listens(address)


def test_the_owner_decides_about_a_manual_connection(az: Az) -> None:
    """Listed, approved, rejected by its id; what was rejected is not approved again."""
    az(
        *("network", "private-endpoint", "create", "--name", "asks", *WHERE, "--location", "local"),
        *("--subnet", SUBNET, *CONNECTION, "--connection-name", "asks"),
        *("--manual-request", "true", "--request-message", "please"),
    )
    address = address_of(az, "asks")
    command = ("network", "private-endpoint-connection")
    (pending,) = az(*command, "list", "--id", ACCOUNT)
    state = pending["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], state["description"]) == ("Pending", "please")
    assert not listens(address)
    az(*command, "approve", "--id", pending["id"], "--description", "welcome")
    shown = az(*command, "show", "--id", pending["id"])
    state = shown["properties"]["privateLinkServiceConnectionState"]
    assert (state["status"], state["description"]) == ("Approved", "welcome")
    assert listens(address)
    az(*command, "reject", "--id", pending["id"], "--description", "no more")
    assert not listens(address)
    with pytest.raises(Refused, match="Approving rejected"):
        az(*command, "approve", "--id", pending["id"])
    (resource,) = az("network", "private-link-resource", "list", "--id", ACCOUNT)
    assert resource["properties"]["groupId"] == "account"
    az(*command, "delete", "--id", pending["id"], "--yes")
    gone = az("network", "private-endpoint", "show", "--name", "asks", *WHERE)
    (link,) = gone["manualPrivateLinkServiceConnections"]
    assert link["privateLinkServiceConnectionState"]["status"] == "Disconnected"
    az("network", "private-endpoint", "delete", "--name", "asks", *WHERE)
