"""A perimeter around an account, from each side: what it only tells of, and what it refuses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.netbed.layout import APPLICATION
from tests.netbed.perimeter import PROFILE, logging, perimeter
from tests.netbed.sides import ALPHA, BETA, DOORS
from tests.netbed.test_network_rules import (
    APPLICATIONS,
    CLOSED,
    EVERYBODY,
    FIREWALL,
    refusal,
    rules,
)
from tests.netbed.test_private_endpoints import endpoint

if TYPE_CHECKING:
    from tests.netbed.sides import Door, Sides

NAMED = {"public .10", "public IPv6", *APPLICATIONS}
PREFIXES = ["192.175.48.10/32", "2620:4f:8000::/64", "10.77.1.0/24"]


def kept_out(door: Door) -> dict[str, Any]:
    """The whole body that a client gets whom no rule of the perimeter names."""
    told = (
        f"The request came from {door.client_address}. The account is in a network security "
        "perimeter that is enforced: an inbound access rule of its profile would have to name the "
        "address, or the caller use a managed identity of the same perimeter."
    )
    inner = {"code": "NetworkSecurityPerimeter", "message": told}
    message = "Access denied due to Network Security Perimeter rules."
    return {"error": {"code": "403", "message": message, "innererror": inner}}


def addresses(doors: set[str]) -> dict[str, int]:
    """From where calls by these doors come, and how many."""
    return dict(Counter(DOORS[name].client_address for name in doors))


@pytest.mark.parametrize(
    ("properties", "served", "message"),
    [
        ({"networkAcls": rules("Allow")}, EVERYBODY, ""),
        ({"networkAcls": rules(ip=("192.175.48.20",))}, NAMED | {"public .20"}, FIREWALL),
        ({"publicNetworkAccess": "Disabled"}, NAMED, CLOSED),
    ],
    ids=["open", "an address", "closed"],
)
def test_learning_opens_and_tells(
    sides: Sides, properties: dict[str, Any], served: set[str], message: str
) -> None:
    """Its rules let in, else the account's own decide, and the log has what enforcing would do."""
    sides.set(**properties)
    with perimeter(sides, "Learning") as edge:
        edge.rule("named", direction="Inbound", addressPrefixes=PREFIXES)
        expected = {
            "NspPublicInboundPerimeterRulesAllowed": addresses(NAMED),
            "NspPublicInboundResourceRulesAllowed": addresses(served - NAMED),
            "NspPublicInboundResourceRulesDenied": addresses(EVERYBODY - served),
        }
        with logging(sides, **expected):
            told = {name: sides.knock(door) for name, door in DOORS.items()}
    assert {name for name, each in told.items() if each.status == 200} == served
    for name in EVERYBODY - served:
        assert (told[name].status, told[name].body) == (403, refusal(DOORS[name], message))


@pytest.mark.parametrize(
    "properties",
    [
        {"networkAcls": rules("Allow")},
        {"networkAcls": rules(ip=("192.175.48.20",))},
        {"publicNetworkAccess": "Disabled"},
        {"publicNetworkAccess": "SecuredByPerimeter"},
    ],
    ids=["open", "an address", "closed", "secured by it"],
)
def test_enforced_its_rules_alone_count(sides: Sides, properties: dict[str, Any]) -> None:
    """Whatever the account says; others' accounts are none of its business."""
    sides.set(**properties)
    with perimeter(sides, "Enforced") as edge:
        edge.rule("named", direction="Inbound", addressPrefixes=PREFIXES)
        expected = {
            "NspPublicInboundPerimeterRulesAllowed": addresses(NAMED),
            "NspPublicInboundPerimeterRulesDenied": addresses(EVERYBODY - NAMED),
        }
        with logging(sides, **expected):
            told = {name: sides.knock(door) for name, door in DOORS.items()}
        assert sides.knock(DOORS["partner"], BETA).status == 200
    assert {name for name, each in told.items() if each.status == 200} == NAMED
    for name in EVERYBODY - NAMED:
        assert (told[name].status, told[name].body) == (403, kept_out(DOORS[name]))


def test_a_change_acts_on_the_next_request(sides: Sides) -> None:
    """A rule that is written, one that is taken away, the mode, the end of it."""
    door = DOORS["partner"]
    assert sides.knock(door).status == 200
    with perimeter(sides, "Enforced") as edge:
        assert sides.knock(door).body == kept_out(door)
        assert sides.knock(door, key="wrong").body == kept_out(door)
        edge.rule("partner", direction="Inbound", addressPrefixes=["10.77.2.10/32"])
        assert sides.knock(door).status == 200
        edge.delete(f"{PROFILE}/accessRules/partner")
        assert sides.knock(door).body == kept_out(door)
        edge.associate("Learning")
        assert sides.knock(door).status == 200
        edge.associate("Enforced")
        assert sides.knock(door).body == kept_out(door)
    assert sides.knock(door).status == 200


def test_private_endpoints_are_not_touched(sides: Sides) -> None:
    """They are no public side: served from their network though no rule names anybody."""
    with perimeter(sides, "Enforced"), endpoint(sides, APPLICATION):
        assert sides.by_name("application").status == 200
        assert sides.knock(DOORS["application"]).status == 403, ALPHA
