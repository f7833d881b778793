"""Network rules of accounts as the control plane takes, shows and explains them."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.controls.network.options import NetworkSettings
from linarite.privatelink.networks import networks_of
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, Rig

pytestmark = pytest.mark.anyio

ONE = f"{ACCOUNTS}/one"
KNOWN = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/apps/subnets/default"
REACH = f"{ONE}/providers/Linarite.Operations/reachability"


@pytest.fixture
async def rig() -> Rig:
    """A control plane whose settings declare one network."""
    declared = {"apps": NetworkSettings(addresses=["10.1.0.0/24"])}
    made = Rig(networks=networks_of(declared, ONE))
    await made.ask("PUT", GROUP, {"location": "local"})
    return made


def with_acls(**acls: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An account with rules."""
    return ACCOUNT | {"properties": {"networkAcls": acls}}


async def test_what_is_left_out_is_azures_default(rig: Rig) -> None:
    """And can be read: rules without a default action exclude nobody."""
    made = await rig.ask("PUT", ONE, with_acls(ipRules=[{"value": "10.0.0.1"}]))
    assert made.body["properties"]["networkAcls"] == {
        "defaultAction": "Allow",
        "ipRules": [{"value": "10.0.0.1"}],
    }


@pytest.mark.parametrize("subnet", [KNOWN, KNOWN.upper(), f"{KNOWN}/"])
async def test_a_subnet_that_settings_declare(rig: Rig, subnet: str) -> None:
    """By its id, whatever the case."""
    made = await rig.ask("PUT", ONE, with_acls(virtualNetworkRules=[{"id": subnet}]))
    assert made.status == 201


async def test_a_subnet_whose_addresses_nobody_knows(rig: Rig) -> None:
    """The refusal names the setting; who says so may keep the rule all the same."""
    rule = {"id": KNOWN.replace("apps", "elsewhere")}
    refused = await rig.ask("PUT", ONE, with_acls(virtualNetworkRules=[rule]))
    assert (refused.status, refused.body["code"]) == (400, "NetworkAclsValidationFailure")
    assert refused.body["target"] == "properties.networkAcls.virtualNetworkRules[0].id"
    assert "[networks.NAME]" in refused.body["message"]
    ignoring = rule | {"ignoreMissingVnetServiceEndpoint": True}
    assert (await rig.ask("PUT", ONE, with_acls(virtualNetworkRules=[ignoring]))).status == 201


@pytest.mark.parametrize("rules", ["ipRules", "virtualNetworkRules"])
async def test_azures_limits(rig: Rig, rules: str) -> None:
    """A hundred of each."""
    many = [
        {"value": f"10.0.{number}.1", "id": KNOWN, "ignoreMissingVnetServiceEndpoint": True}
        for number in range(101)
    ]
    key = "value" if rules == "ipRules" else "id"
    sent = [{key: each[key]} for each in many]
    assert (await rig.ask("PUT", ONE, with_acls(**{rules: sent[:100]}))).status == 201
    refused = await rig.ask("PUT", ONE, with_acls(**{rules: sent}))
    assert refused.status == 400
    assert f"networkAcls.{rules}" in str(refused.body)


async def test_endpoints_by_path_and_by_host(rig: Rig) -> None:
    """By path unless settings say otherwise."""
    await rig.ask("PUT", ONE, ACCOUNT | {"kind": "AIServices"})
    shown = (await rig.ask("GET", ONE)).body["properties"]
    assert shown["endpoint"].endswith("/one/")
    assert {each.rpartition("/one/")[1] for each in shown["endpoints"].values()} == {"/one/"}
    rig.surface.account_hosts_in = "ai.corp"
    shown = (await rig.ask("GET", ONE)).body["properties"]
    assert "//one.cognitiveservices.ai.corp" in shown["endpoint"]
    assert "//one.services.ai.ai.corp" in shown["endpoints"]["AI Foundry API"]
    assert "//one.openai.ai.corp" in shown["endpoints"]["OpenAI Language Model Instance API"]


async def test_whether_an_address_would_reach_an_account(rig: Rig) -> None:
    """Which rule, and what would have to change."""
    await rig.ask("PUT", ONE, ACCOUNT)
    told = (await rig.ask("GET", f"{REACH}?address=10.1.0.9", version="2026-11-01")).body
    assert told["publicSide"]["outcome"] == "none in force"
    acls = {
        "defaultAction": "Deny",
        "ipRules": [{"value": "203.0.113.0/24"}],
        "virtualNetworkRules": [{"id": KNOWN}],
    }
    await rig.ask("PATCH", ONE, {"properties": {"networkAcls": acls}})
    found = {}
    for address in ("10.1.0.9", "203.0.113.9", "198.51.100.1"):
        told = (await rig.ask("GET", f"{REACH}?address={address}", version="2026-11-01")).body
        found[address] = (told["publicSide"]["outcome"], told["publicSide"]["decidedBy"])
    assert found == {
        "10.1.0.9": ("passed", f"virtualNetworkRule {KNOWN}"),
        "203.0.113.9": ("passed", "ipRule 203.0.113.0/24"),
        "198.51.100.1": ("refused", "defaultAction Deny"),
    }
    assert "--ip-address 198.51.100.1" in told["wouldHaveToChange"][0]
    await rig.ask("PATCH", ONE, {"properties": {"publicNetworkAccess": "Disabled"}})
    told = (await rig.ask("GET", f"{REACH}?address=203.0.113.9", version="2026-11-01")).body
    assert told["publicSide"]["decidedBy"] == "publicNetworkAccess Disabled"
    nonsense = await rig.ask("GET", f"{REACH}?address=here", version="2026-11-01")
    assert (nonsense.status, nonsense.body["code"]) == (400, "InvalidAddress")
