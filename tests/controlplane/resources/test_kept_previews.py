"""Types that the newest preview of the provider has: what each requires and fills in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane.rig import ACCOUNT, ACCOUNTS, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
APPLICATION = f"{ONE}/projects/p1/applications/app"
NETWORK = f"{ONE}/managedNetworks/default"
RULE = {
    "name": "monthly",
    "counterKey": {"type": "Project"},
    "unit": "Usd",
    "amount": 100,
    "thresholds": [{"type": "Percentage", "value": 80, "action": "Alert"}],
}


@pytest.fixture
async def rig() -> Rig:
    """A control plane with an account, a project, an application and a network."""
    rig = await Rig().with_group()
    body = ACCOUNT | {"kind": "AIServices", "properties": {"allowProjectManagement": True}}
    for path, sent in (
        (ONE, body),
        (f"{ONE}/projects/p1", {"location": "local"}),
        (APPLICATION, {"properties": {"agents": [{"agentName": "helper"}]}}),
        (NETWORK, {"properties": {}}),
    ):
        assert (await rig.ask("PUT", path, sent)).status in (200, 201)
    return rig


@pytest.mark.parametrize(
    ("path", "sent", "filled"),
    [
        (f"{ONE}/raiToolLabels/label", {"toolConnectionName": "search"}, {}),
        (f"{ONE}/raiRegos/rego", {"rego": "package p"}, {"encoding": "None"}),
        (f"{ONE}/raiRegos/rego", {"rego": "cGFja2FnZSBw", "encoding": "Base64"}, {}),
        (
            f"{ONE}/raiBindings/binding",
            {"boundResourceId": ONE, "targetPolicyName": "microsoft.default"},
            {},
        ),
        (f"{ONE}/costControls/cost", {"rules": [RULE]}, {}),
        (
            f"{PROVIDER}/raiPolicy/strict",
            {"customBlocklists": [{"blocklistName": "of-some-account", "source": "PreRun"}]},
            {
                "type": "UserManaged",
                "mode": "Default",
                "basePolicyName": "Microsoft.Default",
                "contentFilters": [],
            },
        ),
        (
            f"{APPLICATION}/agentDeployments/hosted",
            {"deploymentType": "Hosted"},
            {"state": "Stopped", "provisioningState": "Succeeded"},
        ),
        (
            f"{ONE}/managedNetworks/other",
            {"managedNetwork": {"isolationMode": "AllowInternetOutbound"}},
            {
                "managedNetwork": {
                    "isolationMode": "AllowInternetOutbound",
                    "status": {"status": "Inactive"},
                },
                "provisioningState": "Succeeded",
            },
        ),
        (
            f"{NETWORK}/outboundRules/packages",
            {"type": "FQDN", "destination": "packages.example"},
            {"category": "UserDefined", "status": "Inactive"},
        ),
        (
            f"{NETWORK}/outboundRules/store",
            {"type": "PrivateEndpoint", "destination": {"serviceResourceId": ONE}},
            {"category": "UserDefined", "status": "Inactive"},
        ),
    ],
)
async def test_is_made_shown_and_deleted(
    rig: Rig, path: str, sent: dict[str, Any], filled: dict[str, Any]
) -> None:
    """What Azure fills in is filled in; the same again changes nothing."""
    made = await rig.ask("PUT", path, {"properties": sent})
    assert made.body["properties"] == sent | filled
    assert made.status == (200 if "managedNetworks" in path else 201)
    again = await rig.ask("PUT", path, {"properties": sent})
    assert (again.status, again.body) == (200, made.body)
    assert (await rig.ask("GET", path)).body == made.body
    assert (await rig.ask("DELETE", path)).status in (200, 204)
    assert (await rig.ask("GET", path)).status == 404


@pytest.mark.parametrize(
    ("path", "sent", "target"),
    [
        (f"{ONE}/raiToolLabels/label", {}, "properties.toolConnectionName"),
        (
            f"{ONE}/raiToolLabels/label",
            {"toolConnectionName": "t", "projectScopes": [{"project": "p1"}]},
            "properties.projectScopes[0]",
        ),
        (f"{ONE}/raiRegos/rego", {}, "properties.rego"),
        (f"{ONE}/raiRegos/rego", {"rego": "not!", "encoding": "Base64"}, "properties.rego"),
        (f"{ONE}/raiBindings/binding", {"targetPolicyName": "x"}, "properties.boundResourceId"),
        (
            f"{ONE}/raiBindings/binding",
            {"boundResourceId": ONE, "targetPolicyName": "nobodys"},
            "properties.targetPolicyName",
        ),
        (f"{ONE}/costControls/cost", {}, "properties.rules"),
        (
            f"{ONE}/costControls/cost",
            {"rules": [RULE | {"unit": "Eur"}]},
            "properties.rules[0].unit",
        ),
        (f"{PROVIDER}/raiPolicy/p", {"basePolicyName": "none"}, "properties.basePolicyName"),
        (f"{APPLICATION}/agentDeployments/hosted", {}, "properties.deploymentType"),
        (APPLICATION, {"authorizationPolicy": {}}, "properties.authorizationPolicy"),
        (
            NETWORK,
            {"managedNetwork": {"outboundRules": {"a": {"type": "FQDN"}}}},
            "properties.managedNetwork.outboundRules",
        ),
        (f"{NETWORK}/outboundRules/packages", {"type": "FQDN"}, "properties.destination"),
        (
            f"{NETWORK}/outboundRules/packages",
            {"type": "FQDN", "destination": {"serviceTag": "Storage"}},
            "properties.destination",
        ),
    ],
)
async def test_what_is_wrong_is_told(
    rig: Rig, path: str, sent: dict[str, Any], target: str
) -> None:
    """400 that names the property."""
    refused = await rig.ask("PUT", path, {"properties": sent})
    assert (refused.status, refused.body["target"]) == (400, target)


async def test_a_network_of_the_newer_kind_stays_one(rig: Rig) -> None:
    """V1 becomes V2 and not the reverse."""
    newer = {"properties": {"managedNetwork": {"managedNetworkKind": "V2"}}}
    assert (await rig.ask("PATCH", NETWORK, newer)).status == 200
    older = {"properties": {"managedNetwork": {"managedNetworkKind": "V1"}}}
    refused = await rig.ask("PATCH", NETWORK, older)
    assert (refused.status, refused.body["target"]) == (
        400,
        "properties.managedNetwork.managedNetworkKind",
    )


async def test_applications_are_switched_and_tell_their_agents(rig: Rig) -> None:
    """Disabled and enabled again; a PUT does not enable what was disabled."""
    off = await rig.ask("POST", f"{APPLICATION}/disable")
    assert (off.status, off.body["properties"]["isEnabled"]) == (200, False)
    sent = {"properties": {"displayName": "App", "isEnabled": True, "agents": []}}
    assert (await rig.ask("PUT", APPLICATION, sent)).body["properties"]["isEnabled"] is False
    on = await rig.ask("POST", f"{APPLICATION}/enable")
    assert on.body["properties"]["isEnabled"] is True
    assert (await rig.ask("POST", f"{APPLICATION}/listAgents")).body == {"value": []}
    sent["properties"]["agents"] = [{"agentName": "helper"}]
    await rig.ask("PUT", APPLICATION, sent)
    listed = await rig.ask("POST", f"{APPLICATION}/listAgents")
    assert [each["name"] for each in listed.body["value"]] == ["helper"]
    nobody = await rig.ask("POST", f"{ONE}/projects/p1/applications/none/enable")
    assert (nobody.status, nobody.body["code"]) == (404, "ResourceNotFound")
    for query, found in (("names=APP,x", 1), ("names=x", 0), ("searchText=pp", 1)):
        page = await rig.ask("GET", f"{ONE}/projects/p1/applications?{query}")
        assert len(page.body["value"]) == found, query


async def test_safety_providers_of_the_subscription(rig: Rig) -> None:
    """Listed, with when they were made; what only the server sets is ignored."""
    path = f"{PROVIDER}/raiExternalSafetyProviders/mine"
    sent = {"url": "https://filter.example", "createdAt": "yesterday"}
    made = await rig.ask("PUT", path, {"properties": sent})
    assert made.status == 201
    assert made.body["properties"]["createdAt"] == made.body["systemData"]["createdAt"]
    listed = await rig.ask("GET", f"{PROVIDER}/raiExternalSafetyProviders")
    assert listed.body == {"value": [made.body]}
