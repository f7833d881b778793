"""An account's network rules from each side, in the official client's hands, to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.cli.netbed.layout import APPLICATION, PARTNER, PUBLIC
from tests.netbed.sides import (
    ALPHA,
    BETA,
    DOORS,
    IDENTITY_SECRETS,
    MODEL,
    PORT,
    TRUSTED,
    UNTRUSTED,
    subnet,
)

if TYPE_CHECKING:
    from tests.netbed.client import Told
    from tests.netbed.sides import Door, Sides

EVERYBODY = set(DOORS)
APPLICATIONS = {"application", "application, publicly"}
PARTNERS = {"partner", "partner, publicly"}
CLOSED = "Public access is disabled. Please configure private endpoint."
FIREWALL = "Access denied due to Virtual Network/Firewall rules."


def rules(
    default: str = "Deny", ip: tuple[str, ...] = (), networks: tuple[str, ...] = ()
) -> dict[str, Any]:
    """`networkAcls` as templates have them."""
    return {
        "defaultAction": default,
        "ipRules": [{"value": value} for value in ip],
        "virtualNetworkRules": [{"id": each} for each in networks],
    }


STATES: list[tuple[str, dict[str, Any], set[str], str]] = [
    ("open", {"networkAcls": rules("Allow")}, EVERYBODY, ""),
    ("allow by default", {"networkAcls": rules("Allow", ("192.0.3.1",))}, EVERYBODY, ""),
    ("deny by default", {"networkAcls": rules()}, set(), FIREWALL),
    ("an address", {"networkAcls": rules(ip=("192.175.48.10",))}, {"public .10"}, FIREWALL),
    (
        "a range",
        {"networkAcls": rules(ip=("192.175.48.0/24",))},
        {"public .10", "public .20"},
        FIREWALL,
    ),
    (
        "half of a range",
        {"networkAcls": rules(ip=("192.175.48.16/28",))},
        {"public .20"},
        FIREWALL,
    ),
    (
        "a subnet",
        {"networkAcls": rules(networks=(subnet(APPLICATION),))},
        APPLICATIONS,
        FIREWALL,
    ),
    (
        "two subnets",
        {"networkAcls": rules(networks=(subnet(APPLICATION), subnet(PARTNER)))},
        APPLICATIONS | PARTNERS,
        FIREWALL,
    ),
    (
        "a subnet and an address",
        {"networkAcls": rules(ip=("192.175.48.20",), networks=(subnet(PARTNER),))},
        PARTNERS | {"public .20"},
        FIREWALL,
    ),
    (
        "a subnet's public side is closed",
        {"publicNetworkAccess": "Disabled", "networkAcls": rules(networks=(subnet(APPLICATION),))},
        set(),
        CLOSED,
    ),
    ("closed", {"publicNetworkAccess": "Disabled"}, set(), CLOSED),
    (
        "closed to named addresses too",
        {"publicNetworkAccess": "Disabled", "networkAcls": rules(ip=("192.175.48.10",))},
        set(),
        CLOSED,
    ),
]


def refusal(door: Door, message: str) -> dict[str, Any]:
    """The whole body that a refused client gets."""
    where = "publicNetworkAccess" if message == CLOSED else "networkAcls"
    told = (
        f"The request came from {door.client_address}. The account's owner decides by "
        f"properties.{where}; who may read the server's records sees what decided: "
        "`linarite explain` with this answer's apim-request-id."
    )
    inner = {"code": "NetworkRules", "message": told}
    return {"error": {"code": "403", "message": message, "innererror": inner}}


@pytest.mark.parametrize(
    ("properties", "served", "message"),
    [state[1:] for state in STATES],
    ids=[state[0] for state in STATES],
)
def test_each_side_is_served_or_refused_as_the_rules_say(
    sides: Sides, properties: dict[str, Any], served: set[str], message: str
) -> None:
    """At once after the owner has said so, in Azure's words; another account stays open."""
    sides.set(**properties)
    told = {name: sides.knock(door) for name, door in DOORS.items()}
    assert {name for name, each in told.items() if each.status == 200} == served
    for name in EVERYBODY - served:
        assert told[name].status == 403, told[name]
        assert told[name].body == refusal(DOORS[name], message)
    assert sides.knock(DOORS["public .10"], BETA).status == 200


@pytest.mark.parametrize("key", ["wrong", "of another account"])
def test_a_refused_side_learns_nothing_of_keys(sides: Sides, key: str) -> None:
    """With a wrong key it is told what it is told with the right one, where a served one is not."""
    tried = sides.keys[BETA] if key == "of another account" else key
    sides.set(networkAcls=rules(networks=(subnet(APPLICATION),)))
    door = DOORS["partner"]
    assert sides.knock(door, key=tried).body == sides.knock(door).body == refusal(door, FIREWALL)
    assert sides.knock(DOORS["application"], key=tried).status == 401
    assert sides.knock(DOORS["application"], ALPHA).status == 200


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "x-client-ip"])
def test_no_header_changes_where_a_request_came_from(sides: Sides, header: str) -> None:
    """Nobody in front of this server has been said to be trusted."""
    sides.set(networkAcls=rules(ip=("192.175.48.10",)))
    value = "for=192.175.48.10" if header == "forwarded" else "192.175.48.10"
    door = DOORS["partner"]
    told = sides.clients["partner"].http(
        "GET",
        f"http://{door.address}:8080/{ALPHA}/openai/models?api-version=2024-10-21",
        **{header: value, "api-key": sides.keys[ALPHA]},
    )
    assert (told.status, told.body) == (403, refusal(door, FIREWALL))


def as_service(sides: Sides, name: str, account: str = ALPHA) -> Told:
    """A chat from the public side by a program with a managed identity's token."""
    server = f"http://{PUBLIC.server_address}:{PORT}"
    return sides.clients["public"].chat(
        f"{server}/{account}",
        "",
        MODEL,
        identity=IDENTITY_SECRETS[name],
        tokens_from=f"{server}/msi/token",
    )


def test_a_trusted_service_passes_by_its_identity(sides: Sides) -> None:
    """With its own token and its role, past rules that keep its host out; no one else there does.

    `bypass` is the owner's to say, of each account.
    """
    acls = rules(networks=(subnet(APPLICATION),))
    with sides.may_use(TRUSTED), sides.may_use(UNTRUSTED), sides.may_use(TRUSTED, BETA):
        assert as_service(sides, UNTRUSTED).status == 200  # its token is good
        sides.set(networkAcls={**acls, "bypass": "AzureServices"})
        passed = as_service(sides, TRUSTED)
        assert passed.status == 200, passed
        kept_out = [as_service(sides, UNTRUSTED), sides.knock(DOORS["public .10"])]
        sides.set(networkAcls={**acls, "bypass": "None"})
        kept_out.append(as_service(sides, TRUSTED))
        assert as_service(sides, TRUSTED, BETA).status == 200
    for told in kept_out:
        assert (told.status, told.body["error"]["message"]) == (403, FIREWALL), told
    sides.set(networkAcls={**acls, "bypass": "AzureServices"})
    told = as_service(sides, TRUSTED)
    assert (told.status, told.body["error"]["code"]) == (401, "PermissionDenied"), told
