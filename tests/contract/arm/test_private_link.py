"""Private endpoints through the official clients: templates, azure-mgmt-network, -privatedns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.privatedns import PrivateDnsManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from openai import AzureOpenAI, DefaultHttpxClient

from tests.contract.arm.conftest import ENDPOINT_PORT, SUBNET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.arm.conftest import Managed, Sdk

TEMPLATE = Path(__file__).parent / "templates" / "private_endpoint.json"
GROUP = "private"
ZONE = "privatelink.openai.azure.com"
LINK = f"{ZONE}-link"


@pytest.fixture(scope="module")
def network(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-network."""
    with managed.client(NetworkManagementClient) as client:
        yield client


@pytest.fixture(scope="module")
def names(managed: Managed) -> Iterator[Sdk]:
    """azure-mgmt-privatedns."""
    with managed.client(PrivateDnsManagementClient) as client:
        yield client


@pytest.fixture(autouse=True)
def _clean(network: Sdk, names: Sdk, cognitive: Sdk) -> Iterator[None]:
    """Nothing is left in the group but the network of settings."""
    yield
    for endpoint in network.private_endpoints.list(GROUP):
        network.private_endpoints.begin_delete(GROUP, endpoint.name).result()
    for zone in names.private_zones.list_by_resource_group(GROUP):
        for link in names.virtual_network_links.list(GROUP, zone.name):
            names.virtual_network_links.begin_delete(GROUP, zone.name, link.name).result()
        names.private_zones.begin_delete(GROUP, zone.name).result()
    for account in cognitive.accounts.list_by_resource_group(GROUP):
        cognitive.accounts.begin_delete(GROUP, account.name).result()
        cognitive.deleted_accounts.begin_purge("local", GROUP, account.name).result()


def address_of(network: Sdk, interface_id: str) -> str:
    """What scripts read at the interface."""
    interface = network.network_interfaces.get(GROUP, interface_id.rpartition("/")[2])
    (configuration,) = interface.ip_configurations
    assert "private.openai.linarite.internal" in (
        configuration.private_link_connection_properties.fqdns
    )
    return configuration.private_ip_address


def chat_at(cognitive: Sdk, address: str) -> str:
    """Ask through the endpoint, under the account's own name."""
    key = cognitive.accounts.list_keys(GROUP, "private").key1
    # No name server is asked here: the client is told the address, and asks for the name.
    with AzureOpenAI(
        azure_endpoint=f"https://{address}:{ENDPOINT_PORT}",
        api_key=key,
        api_version="2024-10-21",
        max_retries=0,
        default_headers={"host": "private.openai.linarite.internal"},
        http_client=DefaultHttpxClient(verify=False),
    ) as client:
        answer = client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello"}]
        )
    return answer.choices[0].message.content or ""


def test_the_common_template(managed: Managed, network: Sdk, names: Sdk, cognitive: Sdk) -> None:
    """Account, network, endpoint, zone, link and zone group deploy unchanged, and again."""
    template = json.loads(TEMPLATE.read_text())
    given = {"accountName": {"value": "private"}}
    body = {"properties": {"mode": "Incremental", "template": template, "parameters": given}}
    with managed.client(DeploymentsMgmtClient) as templates:
        made = templates.deployments.begin_create_or_update(GROUP, "private", body).result()
        assert made.properties.provisioning_state == "Succeeded"
        address = address_of(network, made.properties.outputs["interfaceId"]["value"])
        assert chat_at(cognitive, address)
        (record,) = names.record_sets.list_by_type(GROUP, ZONE, "A")
        assert (record.name, record.a_records[0].ipv4_address) == ("private", address)
        before = network.private_endpoints.get(GROUP, "pe-private")
        assert before.custom_dns_configs == []
        again = templates.deployments.begin_create_or_update(GROUP, "private", body).result()
        assert again.properties.provisioning_state == "Succeeded"
        after = network.private_endpoints.get(GROUP, "pe-private")
        assert (after.etag, after.as_dict()) == (before.etag, before.as_dict())
        what = templates.deployments.begin_what_if(GROUP, "private", body).result()
        changes = {each.resource_id: each.change_type for each in what.properties.changes}
        assert set(changes.values()) <= {"NoChange", "Ignore"}, changes


def test_approval_through_the_clients(network: Sdk, names: Sdk, cognitive: Sdk) -> None:
    """A manual connection, approved by the account's owner; zone, link and group by hand."""
    account = cognitive.accounts.begin_create(
        GROUP,
        "private",
        {
            "location": "local",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": "private"},
        },
    ).result()
    link = {"privateLinkServiceId": account.id, "groupIds": ["account"], "requestMessage": "hi"}
    endpoint = network.private_endpoints.begin_create_or_update(
        GROUP,
        "pe",
        {
            "location": "local",
            "properties": {
                "subnet": {"id": SUBNET},
                "manualPrivateLinkServiceConnections": [{"name": "pe", "properties": link}],
                "ipConfigurations": [
                    {
                        "name": "fixed",
                        "properties": {
                            "groupId": "account",
                            "memberName": "default",
                            "privateIPAddress": "127.0.0.49",
                        },
                    }
                ],
            },
        },
    ).result()
    (asked,) = endpoint.manual_private_link_service_connections
    assert asked.private_link_service_connection_state.status == "Pending"
    connections = cognitive.private_endpoint_connections
    (pending,) = connections.list(GROUP, "private").value
    state = {"privateLinkServiceConnectionState": {"status": "Approved", "description": "ok"}}
    connections.begin_create_or_update(
        GROUP, "private", pending.name, {"properties": state}
    ).result()
    shown = network.private_endpoints.get(GROUP, "pe")
    assert shown.custom_dns_configs[0].ip_addresses == ["127.0.0.49"]
    (linked,) = shown.manual_private_link_service_connections
    assert linked.private_link_service_connection_state.description == "ok"
    owner = cognitive.accounts.get(GROUP, "private").properties.private_endpoint_connections
    assert [each.id for each in owner] == [pending.id]
    (resource,) = cognitive.private_link_resources.list(GROUP, "private").value
    zone = resource.properties.required_zone_names[0]
    names.private_zones.begin_create_or_update(GROUP, zone, {"location": "global"}).result()
    vnet = {"id": SUBNET.rpartition("/subnets/")[0]}
    names.virtual_network_links.begin_create_or_update(
        GROUP,
        zone,
        "link",
        {"location": "global", "properties": {"virtualNetwork": vnet}},
    ).result()
    zone_id = f"{SUBNET.partition('/virtualNetworks/')[0]}/privateDnsZones/{zone}"
    config = {"name": "openai", "properties": {"privateDnsZoneId": zone_id}}
    group = network.private_dns_zone_groups.begin_create_or_update(
        GROUP, "pe", "default", {"properties": {"privateDnsZoneConfigs": [config]}}
    ).result()
    assert group.private_dns_zone_configs[0].record_sets[0].ip_addresses == ["127.0.0.49"]
    subnet = network.subnets.get(GROUP, "vnet-openai", "snet-private-endpoints")
    assert [each.id for each in subnet.private_endpoints] == [endpoint.id]
    connections.begin_delete(GROUP, "private", pending.name).result()
    (linked,) = network.private_endpoints.get(GROUP, "pe").manual_private_link_service_connections
    assert linked.private_link_service_connection_state.status == "Disconnected"
