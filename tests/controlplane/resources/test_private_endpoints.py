"""Private endpoints, from the control plane's side: addresses, connections, approval."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.privatelink.networks import Networks
from tests.controlplane.people import assign, person
from tests.controlplane.private_links import (
    ADDRESSES,
    ALPHA,
    CONNECTIONS,
    ENDPOINT,
    ENDPOINTS,
    NETWORK,
    SUBNET,
    VNET,
    ZONES,
    connection,
    decide,
    endpoint,
    made,
    private_rig,
    state,
)
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP

pytestmark = pytest.mark.anyio

ZONE = f"{ZONES}/privatelink.openai.azure.com"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
ZONE_CONTRIBUTOR = "b12aa53e-6015-4669-85d0-8515ebb3ae7f"
COGNITIVE_CONTRIBUTOR = "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68"


async def test_an_endpoint_is_connected_and_has_an_address() -> None:
    """Both sides tell of each other; the interface has the address."""
    rig = await private_rig()
    shown = (await made(rig, ENDPOINT, endpoint())).body["properties"]
    (link,) = shown["privateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceConnectionState"] == {
        "status": "Approved",
        "description": "Auto-Approved",
        "actionsRequired": "None",
    }
    assert shown["manualPrivateLinkServiceConnections"] == []
    assert shown["customDnsConfigs"][0] == {
        "fqdn": "alpha.openai.linarite.internal",
        "ipAddresses": [ADDRESSES[0]],
    }
    only = await connection(rig)
    assert only["properties"]["privateEndpoint"] == {"id": ENDPOINT}
    assert only["properties"]["groupIds"] == ["account"]
    account = (await rig.ask("GET", ALPHA)).body["properties"]
    assert [each["id"] for each in account["privateEndpointConnections"]] == [only["id"]]
    interface = (await rig.ask("GET", shown["networkInterfaces"][0]["id"])).body
    (configuration,) = interface["properties"]["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"] == ADDRESSES[0]
    fqdns = configuration["properties"]["privateLinkConnectionProperties"]["fqdns"]
    assert fqdns[0] == "alpha.openai.linarite.internal"
    listed = (await rig.ask("GET", f"{NETWORK}/networkInterfaces")).body["value"]
    assert [each["id"] for each in listed] == [interface["id"]]
    subnet = (await rig.ask("GET", SUBNET)).body["properties"]
    assert subnet["privateEndpoints"] == [{"id": ENDPOINT}]


async def test_what_is_sent_again_changes_nothing() -> None:
    """What was read can be sent back; the address stays."""
    rig = await private_rig()
    first = await made(rig, ENDPOINT, endpoint())
    again = await rig.ask("PUT", ENDPOINT, endpoint())
    assert (again.status, again.body["etag"]) == (200, first.body["etag"])
    back = await rig.ask("PUT", ENDPOINT, first.body | {"tags": None})
    assert (back.status, back.body["properties"]) == (200, first.body["properties"])
    assert len((await rig.ask("GET", CONNECTIONS)).body["value"]) == 1


async def test_a_manual_connection_waits_for_its_owner() -> None:
    """Pending until approved; approved until rejected; what is rejected stays so."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint(manual=True))
    assert await state(rig) == "Pending"
    only = await connection(rig)
    assert only["properties"]["privateLinkServiceConnectionState"]["description"] == "please"
    assert (await rig.ask("GET", ENDPOINT)).body["properties"]["customDnsConfigs"] == []
    for status in ("Approved", "Approved", "Rejected", "Rejected"):
        answer = await decide(rig, status)
        assert (answer.status, await state(rig)) == (200, status)
    answer = await decide(rig, "Approved")
    assert (answer.status, answer.body["code"]) == (400, "BadRequest")
    assert "Approving rejected private endpoint connections is not supported" in str(answer.body)
    assert (await decide(rig, "Pending")).status == 400
    assert (await connection(rig))["properties"]["privateEndpoint"] == {"id": ENDPOINT}


async def test_a_name_is_one_that_its_connection_can_have() -> None:
    """Letters are those of ASCII: a connection of another name could not be approved."""
    rig = await private_rig()
    for path in (f"{ENDPOINTS}/p\u00e9", f"{VNET}\u00e9", f"{VNET}/subnets/p\u00e9"):
        refused = await rig.ask("PUT", path, endpoint(manual=True))
        assert (refused.status, refused.body["code"]) == (400, "InvalidResourceName"), path
    longest = "a" * 79 + "_"
    await made(rig, f"{ENDPOINTS}/{longest}", endpoint(manual=True))
    assert (await decide(rig, "Approved")).status == 200


async def test_either_side_ends_the_connection() -> None:
    """Without its connection an endpoint is disconnected; with the endpoint the connection goes."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    assert (await rig.ask("DELETE", (await connection(rig))["id"])).status == 200
    assert await state(rig) == "Disconnected"
    await made(rig, ENDPOINT, endpoint())
    assert await state(rig) == "Disconnected"
    assert (await rig.ask("DELETE", ENDPOINT)).status == 200
    await made(rig, ENDPOINT, endpoint())
    assert await state(rig) == "Approved"
    await rig.ask("DELETE", ENDPOINT)
    assert (await rig.ask("GET", CONNECTIONS)).body["value"] == []
    assert (await rig.ask("GET", ENDPOINT)).status == 404


async def test_connections_are_made_by_endpoints_alone() -> None:
    """A connection that no endpoint made is not found, whatever is sent."""
    rig = await private_rig()
    approved = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    answer = await rig.ask("PUT", f"{CONNECTIONS}/mine", {"properties": approved})
    assert (answer.status, answer.body["code"]) == (404, "PrivateEndpointConnectionNotFound")


async def test_a_deleted_account_disconnects_and_a_recovered_one_connects_again() -> None:
    """The connection goes and comes back with its account, unless the endpoint has gone."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    await made(rig, f"{ENDPOINTS}/second", endpoint())
    await rig.ask("DELETE", ALPHA)
    assert await state(rig) == "Disconnected"
    await rig.ask("DELETE", f"{ENDPOINTS}/second")
    restored = ACCOUNT | {"properties": {"customSubDomainName": "alpha", "restore": True}}
    await made(rig, ALPHA, restored)
    assert await state(rig) == "Approved"
    assert (await connection(rig))["properties"]["privateEndpoint"] == {"id": ENDPOINT}


async def test_a_group_takes_its_endpoints_along() -> None:
    """Endpoints in a deleted group leave no connection to an account of another."""
    rig = await private_rig()
    other = GROUP.replace("/rg", "/other")
    await made(rig, other, {"location": "local"})
    await made(rig, ENDPOINT.replace("/rg/", "/other/"), endpoint())
    assert await connection(rig)
    await rig.ask("DELETE", other)
    assert (await rig.ask("GET", CONNECTIONS)).body["value"] == []


async def test_addresses_are_given_out_once() -> None:
    """Each its own, chosen ones too; none is left at the end; what is freed is free."""
    rig = await private_rig()
    chosen = [{"name": "ip", "properties": {"privateIPAddress": ADDRESSES[0]}}]
    await made(rig, ENDPOINT, endpoint(ipConfigurations=chosen))
    second = await made(rig, f"{ENDPOINTS}/second", endpoint())
    assert second.body["properties"]["customDnsConfigs"][0]["ipAddresses"] == [ADDRESSES[1]]
    full = await rig.ask("PUT", f"{ENDPOINTS}/third", endpoint())
    assert (full.status, full.body["code"]) == (400, "SubnetIsFull")
    assert "[networks.apps] endpoint_addresses" in full.body["message"]
    taken = await rig.ask("PUT", f"{ENDPOINTS}/third", endpoint(ipConfigurations=chosen))
    assert taken.body["code"] == "PrivateIPAddressIsAllocated"
    outside = [{"name": "ip", "properties": {"privateIPAddress": "10.9.9.9"}}]
    answer = await rig.ask("PUT", f"{ENDPOINTS}/third", endpoint(ipConfigurations=outside))
    assert answer.body["code"] == "PrivateIPAddressNotInSubnet"
    await rig.ask("DELETE", ENDPOINT)
    third = await made(rig, f"{ENDPOINTS}/third", endpoint())
    assert third.body["properties"]["customDnsConfigs"][0]["ipAddresses"] == [ADDRESSES[0]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (endpoint(account=f"{ACCOUNTS}/none"), "InvalidResourceReference"),
        (endpoint(account=f"{ACCOUNTS}/plain"), "CustomSubDomainNotSet"),
        (endpoint(subnet=f"{VNET}/subnets/none"), "InvalidResourceReference"),
        (endpoint(subnet=f"{VNET}/subnets/unknown"), "SubnetNotOfThisServer"),
        (endpoint(privateLinkServiceConnections=[]), "InvalidRequestFormat"),
        (endpoint(manualPrivateLinkServiceConnections=[{"name": "x"}]), "InvalidRequestFormat"),
        (
            endpoint(ipConfigurations=[{"properties": {"groupId": "vault"}}]),
            "InvalidIpConfiguration",
        ),
        ({"properties": {}}, "MultipleErrorsOccurred"),
    ],
)
async def test_refused(body: dict[str, object], code: str) -> None:
    """What names nothing that is there, or nothing that can listen, is refused."""
    rig = await private_rig()
    await made(rig, f"{ACCOUNTS}/plain", ACCOUNT)
    await made(rig, f"{VNET}/subnets/unknown", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    answer = await rig.ask("PUT", ENDPOINT, body)
    assert (answer.status, answer.body["code"]) == (400, code), answer.body


async def test_what_an_endpoint_leads_to_does_not_change() -> None:
    """Account, subnet and address stay; tags may change."""
    rig = await private_rig()
    await made(rig, f"{ACCOUNTS}/beta", ACCOUNT | {"properties": {"customSubDomainName": "beta"}})
    await made(rig, ENDPOINT, endpoint())
    for body in (endpoint(account=f"{ACCOUNTS}/beta"), endpoint(manual=True)):
        answer = await rig.ask("PUT", ENDPOINT, body)
        assert answer.status == 400
        assert "PropertyChangeNotAllowed" in str(answer.body)
    tagged = await rig.ask("PATCH", ENDPOINT, {"tags": {"team": "blue"}})
    assert (tagged.status, tagged.body["tags"]) == (200, {"team": "blue"})
    assert await state(rig) == "Approved"


async def test_who_may_make_and_approve_one() -> None:
    """Who manages networks may ask; who manages the account approves, or need not be asked."""
    rig = await private_rig()
    await assign(rig, NETWORK_CONTRIBUTOR, "nina", GROUP)
    await assign(rig, COGNITIVE_CONTRIBUTOR, "carl", ALPHA)
    nina, carl = person("nina"), person("carl")
    answer = await rig.ask("PUT", ENDPOINT, endpoint(), caller=nina)
    assert (answer.status, answer.body["code"]) == (403, "LinkedAuthorizationFailed")
    assert "privateEndpointConnectionsApproval/action" in answer.body["message"]
    await made(rig, ENDPOINT, endpoint(manual=True), nina)
    only = await connection(rig)
    approved = {"privateLinkServiceConnectionState": {"status": "Approved"}}
    answer = await rig.ask("PUT", only["id"], {"properties": approved}, caller=nina)
    assert (answer.status, answer.body["code"]) == (403, "AuthorizationFailed")
    assert (await rig.ask("PUT", ENDPOINT, endpoint(), caller=carl)).status == 403
    await made(rig, only["id"], {"properties": approved}, carl)
    await assign(rig, COGNITIVE_CONTRIBUTOR, "nina", ALPHA)
    await made(rig, f"{ENDPOINTS}/second", endpoint(), nina)
    assert await state(rig, f"{ENDPOINTS}/second") == "Approved"


async def test_who_may_not_use_it_learns_not_whether_it_is_there() -> None:
    """Of an account, a virtual network, a subnet: what is absent is refused as what is there."""
    rig = await private_rig()
    await made(rig, ZONE, {"location": "global"})
    await assign(rig, NETWORK_CONTRIBUTOR, "nina", GROUP)
    await assign(rig, ZONE_CONTRIBUTOR, "zoe", ZONE)

    async def told(who: str, path: str, body: dict[str, Any]) -> str:
        answer = await rig.ask("PUT", path, body, caller=person(who))
        assert (answer.status, answer.body["code"]) == (403, "LinkedAuthorizationFailed"), answer
        return str(answer.body["message"])

    there, absent, elsewhere = endpoint(), endpoint(), endpoint()
    for body, account in ((there, ALPHA), (absent, f"{ALPHA}-absent")):
        [link] = body["properties"]["privateLinkServiceConnections"]
        link["properties"]["privateLinkServiceId"] = account
    elsewhere["properties"]["subnet"]["id"] = SUBNET.replace("/rg/", "/other/")
    said = await told("nina", ENDPOINT, there)
    assert (await told("nina", ENDPOINT, absent)).replace("-absent", "") == said
    assert "subnets/join/action" in await told("nina", ENDPOINT, elsewhere)
    link, networks = f"{ZONE}/virtualNetworkLinks/apps", (VNET, f"{VNET}-absent")
    bodies = [
        {"location": "global", "properties": {"virtualNetwork": {"id": each}}} for each in networks
    ]
    said = await told("zoe", link, bodies[0])
    assert (await told("zoe", link, bodies[1])).replace("-absent", "") == said


async def test_a_name_in_a_zone_takes_the_zones_permission() -> None:
    """Who keeps names in a zone, or links one, must be let into it and into the network."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    await made(rig, ZONE, {"location": "global"})
    await assign(rig, NETWORK_CONTRIBUTOR, "nina", ENDPOINT)
    configs = [{"name": "openai", "properties": {"privateDnsZoneId": ZONE}}]
    body = {"properties": {"privateDnsZoneConfigs": configs}}
    group = f"{ENDPOINT}/privateDnsZoneGroups/default"
    answer = await rig.ask("PUT", group, body, caller=person("nina"))
    assert answer.body["code"] == "LinkedAuthorizationFailed"
    await assign(rig, ZONE_CONTRIBUTOR, "nina", ZONE)
    await made(rig, group, body, person("nina"))
    link = {"location": "global", "properties": {"virtualNetwork": {"id": VNET}}}
    answer = await rig.ask("PUT", f"{ZONE}/virtualNetworkLinks/apps", link, caller=person("nina"))
    assert answer.body["code"] == "LinkedAuthorizationFailed"
    await assign(rig, ZONE_CONTRIBUTOR, "nina", GROUP)
    await made(rig, f"{ZONE}/virtualNetworkLinks/apps", link, person("nina"))


async def test_zones_groups_and_links_are_checked() -> None:
    """Each refusal names what is wrong."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    for path, body, code in [
        (ZONE, {"location": "local"}, "LocationNotAvailableForResourceType"),
        (f"{ZONES}/one", {"location": "global"}, "InvalidResourceName"),
        (f"{ZONE}/A/x", {"properties": {}}, "ParentResourceNotFound"),
    ]:
        answer = await rig.ask("PUT", path, body)
        assert answer.body["code"] == code, answer.body
    await made(rig, ZONE, {"location": "global"})
    group = f"{ENDPOINT}/privateDnsZoneGroups"
    configs = [{"name": "x", "properties": {"privateDnsZoneId": f"{ZONES}/none.example"}}]
    answer = await rig.ask(
        "PUT", f"{group}/one", {"properties": {"privateDnsZoneConfigs": configs}}
    )
    assert answer.body["code"] == "InvalidResourceReference"
    await made(rig, f"{group}/one", {"properties": {"privateDnsZoneConfigs": []}})
    answer = await rig.ask("PUT", f"{group}/two", {"properties": {}})
    assert answer.body["code"] == "PrivateEndpointCannotHaveMultiplePrivateDnsZoneGroups"
    link = {"location": "global", "properties": {"virtualNetwork": {"id": VNET}}}
    await made(rig, f"{ZONE}/virtualNetworkLinks/one", link)
    answer = await rig.ask("PUT", f"{ZONE}/virtualNetworkLinks/two", link)
    assert "overlapping" in answer.body["message"]
    answer = await rig.ask("DELETE", ZONE)
    assert (answer.status, answer.body["code"]) == (409, "CannotDeleteResource")
    for path, body in [
        (f"{ZONE}/A/x", {"aRecords": [{"ipv4Address": "10.0.0.300"}]}),
        (f"{ZONE}/A/x", {"txtRecords": [{"value": ["x"]}]}),
        (f"{ZONE}/CNAME/@", {"cnameRecord": {"cname": "a.example"}}),
    ]:
        answer = await rig.ask("PUT", path, {"properties": body})
        assert (answer.status, answer.body["code"]) == (400, "BadRequest"), answer.body
    assert (await rig.ask("DELETE", f"{ZONE}/SOA/@")).status == 405


async def test_what_a_zone_group_keeps_goes_with_it() -> None:
    """Its record can't be deleted by itself; one that somebody wrote stands in front of it."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    await made(rig, ZONE, {"location": "global"})
    configs = [{"name": "openai", "properties": {"privateDnsZoneId": ZONE}}]
    body = {"properties": {"privateDnsZoneConfigs": configs}}
    await made(rig, f"{ENDPOINT}/privateDnsZoneGroups/default", body)
    record = f"{ZONE}/A/alpha"
    assert (await rig.ask("DELETE", record)).status == 409
    own = {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}]}
    await made(rig, record, {"properties": own})
    listed = (await rig.ask("GET", f"{ZONE}/ALL")).body["value"]
    assert [each["name"] for each in listed] == ["alpha", "@"]
    assert listed[0]["properties"]["aRecords"] == own["aRecords"]
    assert (await rig.ask("DELETE", record)).status == 200
    kept = (await rig.ask("GET", record)).body["properties"]
    assert (kept["ttl"], kept["aRecords"]) == (10, [{"ipv4Address": ADDRESSES[0]}])


async def test_a_subnet_with_endpoints_stays() -> None:
    """Neither it nor its virtual network can be deleted, nor left out of a PUT."""
    networks = Networks()
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    rig.surface.networks = networks
    for path in (SUBNET, VNET):
        answer = await rig.ask("DELETE", path)
        assert answer.body["code"] == "InUseSubnetCannotBeDeleted"
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []}
    answer = await rig.ask("PUT", VNET, {"location": "local", "properties": space})
    assert answer.body["code"] == "InUseSubnetCannotBeDeleted"
    await rig.ask("DELETE", ENDPOINT)
    assert (await rig.ask("DELETE", SUBNET)).status == 200
    assert (await rig.ask("GET", VNET)).body["properties"]["subnets"] == []


@pytest.mark.parametrize(
    ("path", "properties"),
    [
        (VNET, {"addressSpace": {"addressPrefixes": "10.0.0.0/8"}}),
        (VNET, {"addressSpace": {"addressPrefixes": ["10.0.0.1/8"]}}),
        (VNET, {"addressSpace": 5}),
        (VNET, {"subnets": [{"name": "a/b"}]}),
        (VNET, {"subnets": [{"name": "a\n"}]}),
        (VNET, {"subnets": [{"name": "a", "properties": {"addressPrefixes": 5}}]}),
        (VNET, {"subnets": [{"name": "endpoints"}, {"name": "a"}, {"name": "A"}]}),
        (SUBNET, {"addressPrefix": 5}),
        (SUBNET, {}),
        (ENDPOINT, {"subnet": "there"}),
        (ENDPOINT, {"subnet": {"id": 5}, "privateLinkServiceConnections": [{"properties": None}]}),
        (ENDPOINT, endpoint()["properties"] | {"customNetworkInterfaceName": "a/b"}),
        (
            ENDPOINT,
            endpoint(ipConfigurations=[{"properties": {"privateIPAddress": "x"}}])["properties"],
        ),
        (f"{ZONES}/a.example", {}),
        (f"{ZONE}/A/x", {"aRecords": [{"ipv6Address": "::1"}]}),
        (f"{ZONE}/TXT/x", {"txtRecords": [{"value": ["x" * 256]}]}),
        (f"{ZONE}/MX/x", {"mxRecords": [{"preference": 70000, "exchange": "a"}]}),
        (f"{ZONE}/virtualNetworkLinks/x", {"virtualNetwork": None}),
    ],
)
async def test_malformed(path: str, properties: dict[str, object]) -> None:
    """What has the wrong shape is refused with a 400 that names it, and nothing is written."""
    rig = await private_rig()
    await made(rig, ZONE, {"location": "global"})
    before = await rig.ask("GET", path)
    answer = await rig.ask("PUT", path, {"location": "local", "properties": properties})
    assert answer.status == 400, answer.body
    assert answer.body["message"]
    after = await rig.ask("GET", path)
    assert (after.status, after.body) == (before.status, before.body)


async def test_a_network_of_settings_stays() -> None:
    """What settings declare is not deleted here."""
    rig = await private_rig()
    for path in (SUBNET, VNET, GROUP):
        answer = await rig.ask("DELETE", path)
        assert (answer.status, answer.body["code"]) == (409, "DeclaredBySettings")
