"""Types that are kept and shown: what each requires, and what it fills in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
PROVIDER = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
PLAN = f"{GROUP}/providers/Microsoft.CognitiveServices/commitmentPlans/plan"


@pytest.fixture
async def rig() -> Rig:
    """A control plane with an account."""
    rig = await Rig().with_group()
    await rig.ask("PUT", ONE, ACCOUNT)
    return rig


@pytest.mark.parametrize(
    ("path", "sent", "filled"),
    [
        (
            f"{ONE}/commitmentPlans/plan",
            {"planType": "TTS", "current": {"tier": "T1"}},
            {"autoRenew": False, "provisioningState": "Succeeded"},
        ),
        (
            f"{ONE}/encryptionScopes/scope",
            {"keyVaultProperties": {"keyVaultUri": "https://vault.example", "keyName": "key"}},
            {
                "keySource": "Microsoft.KeyVault",
                "state": "Enabled",
                "provisioningState": "Succeeded",
            },
        ),
        (f"{ONE}/defenderForAISettings/Default", {}, {"state": "Disabled"}),
        (f"{ONE}/raitopics/topic", {"topicName": "Secrets", "description": "No secrets."}, {}),
    ],
)
async def test_is_made_shown_listed_and_deleted(
    rig: Rig, path: str, sent: dict[str, Any], filled: dict[str, Any]
) -> None:
    """201, then 200; what Azure fills in is filled in."""
    made = await rig.ask("PUT", path, {"properties": sent, "tags": {"a": "1"}})
    assert (made.status, made.body["properties"]) == (201, sent | filled)
    assert made.body["tags"] == {"a": "1"}
    assert (await rig.ask("PUT", path, {"properties": sent, "tags": {"a": "1"}})).status == 200
    assert (await rig.ask("GET", path)).body == made.body
    collection = path.rpartition("/")[0]
    assert (await rig.ask("GET", collection)).body == {"value": [made.body]}
    if "defender" not in path:
        assert (await rig.ask("DELETE", path)).status in (200, 204)
        assert (await rig.ask("GET", path)).status == 404


@pytest.mark.parametrize(
    ("path", "sent", "targets"),
    [
        (
            f"{ONE}/encryptionScopes/scope",
            {},
            [
                "properties.keyVaultProperties.keyVaultUri",
                "properties.keyVaultProperties.keyName",
            ],
        ),
        (f"{ONE}/encryptionScopes/scope", {"keySource": "Mine"}, ["properties.keySource"]),
        (f"{ONE}/defenderForAISettings/Default", {"state": "Asleep"}, ["properties.state"]),
        (f"{ONE}/commitmentPlans/plan", {"hostingModel": "Tent"}, ["properties.hostingModel"]),
        (f"{ONE}/commitmentPlans/plan", {"current": {"count": -1}}, ["properties.current.count"]),
        (PLAN, {}, ["location"]),
        (f"{ONE}/raitopics/topic", {"topicName": 5}, ["properties.topicName"]),
    ],
)
async def test_what_is_wrong_is_told(
    rig: Rig, path: str, sent: dict[str, Any], targets: list[str]
) -> None:
    """400 that names the properties."""
    refused = await rig.ask("PUT", path, {"properties": sent})
    assert refused.status == 400
    told = [each["target"] for each in refused.body["details"]] or [refused.body["target"]]
    assert told == targets


async def test_a_plan_of_its_own_and_who_uses_it(rig: Rig) -> None:
    """It lies in a region, is listed in the subscription, and is associated with accounts."""
    body = {"location": "local", "kind": "SpeechServices", "properties": {"planType": "STT"}}
    made = await rig.ask("PUT", PLAN, body)
    assert (made.status, made.body["location"], made.body["tags"]) == (201, "local", {})
    assert (await rig.ask("GET", f"{PROVIDER}/commitmentPlans")).body["value"] == [made.body]
    moved = await rig.ask("PUT", PLAN, body | {"location": "eastus2"})
    assert (moved.status, moved.body["code"]) == (409, "InvalidResourceLocation")
    association = f"{PLAN}/accountAssociations/a"
    refused = await rig.ask("PUT", association, {"properties": {}})
    assert refused.body["target"] == "properties.accountId"
    nobody = await rig.ask("PUT", association, {"properties": {"accountId": f"{ACCOUNTS}/two"}})
    assert (nobody.status, nobody.body["code"]) == (400, "AccountNotFound")
    to_one = await rig.ask("PUT", association, {"properties": {"accountId": ONE}})
    assert to_one.status == 201
    assert (await rig.ask("DELETE", PLAN)).status == 200
    assert (await rig.ask("GET", association)).status == 404


async def test_what_nobody_can_have_here(rig: Rig) -> None:
    """Lists are empty, single ones are not found; unknown places and accounts are told."""
    tiers = f"{PROVIDER}/locations/local/commitmentTiers"
    assert (await rig.ask("GET", tiers)).body == {"value": []}
    assert (await rig.ask("GET", tiers.replace("local", "mars"))).status == 400
    perimeters = f"{ONE}/networkSecurityPerimeterConfigurations"
    assert (await rig.ask("GET", perimeters)).body == {"value": []}
    assert (await rig.ask("GET", f"{perimeters}/guid.name")).status == 404
    reconciled = await rig.ask("POST", f"{perimeters}/guid.name/reconcile")
    assert (reconciled.status, reconciled.body["code"]) == (404, "ResourceNotFound")
    assert (await rig.ask("PUT", f"{perimeters}/guid.name", {})).status == 405
    nobody = perimeters.replace("/one/", "/two/")
    assert (await rig.ask("GET", nobody)).status == 404
