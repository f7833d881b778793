"""From an account's properties to the verdict on an address."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.controls.network import rules_of, verdict_on
from linarite.controls.network.door import REMEMBERED_MAX
from linarite.controls.network.options import NetworkSettings
from linarite.domain.network import OPEN
from linarite.privatelink.networks import networks_of

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
BESIDE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks"
APPS = f"{BESIDE}/apps/subnets/default"
NAMED = f"{BESIDE}/Other/subnets/Named"
NETWORKS = networks_of(
    {
        "apps": NetworkSettings(addresses=["10.1.0.0/24", "fd00:1::/64"]),
        "named": NetworkSettings(addresses=["10.2.0.0/24"], subnet=NAMED),
    },
    ACCOUNT,
).ranges_of


def acls(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """An account's properties with rules that refuse others."""
    return {"networkAcls": {"defaultAction": "Deny", **more}}


def ips(*values: str) -> dict[str, Any]:
    """The same with rules over addresses."""
    return acls(ipRules=[{"value": value} for value in values])


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"publicNetworkAccess": None, "networkAcls": None},
        {"publicNetworkAccess": "enabled", "networkAcls": {}},
        {"networkAcls": {"defaultAction": "Allow", "ipRules": [{"value": "10.0.0.1"}]}},
    ],
)
def test_what_excludes_nobody_is_open(properties: dict[str, Any]) -> None:
    """Those are told by identity: they cost requests nothing."""
    assert rules_of(properties, NETWORKS) is OPEN


@pytest.mark.parametrize(
    ("rule", "address", "passes"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("10.0.0.0/8", "10.255.255.255", True),
        ("10.0.0.0/8", "11.0.0.0", False),
        ("10.9.9.9/8", "10.0.0.1", True),
        ("2001:db8::/32", "2001:db8:ffff::1", True),
        ("2001:db8::/32", "2001:db9::1", False),
        ("::/0", "10.0.0.1", False),
        ("::/0", "::ffff:10.0.0.1", False),
        ("0.0.0.0/0", "::1", False),
        ("::ffff:10.0.0.0/104", "10.1.2.3", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("0.0.0.0/0", "", False),
        ("0.0.0.0/0", "not an address", False),
        ("nonsense", "10.0.0.1", False),
    ],
)
def test_a_rule_names_its_addresses(rule: str, address: str, *, passes: bool) -> None:
    """Both kinds, and one for the other where it is that in another spelling."""
    verdict = verdict_on(address, rules_of(ips(rule), NETWORKS))
    assert verdict.allowed is passes
    assert verdict.rule == (f"ipRule {rule}" if passes else "defaultAction Deny")


@pytest.mark.parametrize("subnet", [APPS, APPS.upper(), NAMED.lower()])
def test_a_subnet_is_the_addresses_that_settings_give_it(subnet: str) -> None:
    """By its id, whatever the case."""
    rules = rules_of(acls(virtualNetworkRules=[{"id": subnet}]), NETWORKS)
    inside = "10.2.0.9" if "named" in subnet else "fd00:1::9"
    assert verdict_on(inside, rules).rule == f"virtualNetworkRule {subnet}"
    assert not verdict_on("10.3.0.1", rules).allowed


def test_an_unknown_subnet_names_nobody() -> None:
    """Nor does it hinder the other rules."""
    rules = rules_of(
        acls(virtualNetworkRules=[{"id": "/gone"}], ipRules=[{"value": "10.0.0.1"}]), NETWORKS
    )
    assert verdict_on("10.0.0.1", rules).allowed
    assert not verdict_on("10.1.0.1", rules).allowed


@pytest.mark.parametrize("said", ["Disabled", "disabled", "SecuredByPerimeter", "Nonsense"])
def test_whatever_is_not_enabled_is_closed(said: str) -> None:
    """Rules of the public side open nothing then."""
    rules = rules_of({"publicNetworkAccess": said} | ips("0.0.0.0/0"), NETWORKS)
    verdict = verdict_on("10.0.0.1", rules)
    assert not verdict.allowed
    assert verdict.rule == "publicNetworkAccess Disabled"


def test_a_bypass_is_for_those_whom_settings_trust() -> None:
    """Without the bypass, for nobody."""
    trusted = frozenset(("a",))
    assert rules_of(acls(bypass="AzureServices"), NETWORKS, trusted).trusted == trusted
    assert not rules_of(acls(bypass="None"), NETWORKS, trusted).trusted
    assert not rules_of(acls(), NETWORKS, trusted).trusted


def test_what_is_remembered_is_bounded() -> None:
    """A flood of addresses takes no more memory than so many."""
    rules = rules_of(ips("10.0.0.0/8"), NETWORKS)
    for number in range(REMEMBERED_MAX + 10):
        verdict_on(f"11.0.{number // 256}.{number % 256}", rules)
    assert len(rules.decided) <= REMEMBERED_MAX
    assert verdict_on("10.0.0.1", rules).allowed
