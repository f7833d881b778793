"""An account's one name, asked for on each side: where it leads, and what is served there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from linarite.cli.netbed.layout import APPLICATION, PUBLIC
from tests.netbed.sides import ALPHA, DOORS, NETWORKS
from tests.netbed.test_network_rules import CLOSED, refusal
from tests.netbed.test_private_endpoints import ENDPOINT, VERSION, decide, endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.cli.netbed.layout import Network
    from tests.netbed.sides import Sides

ZONE = f"{NETWORKS}/privateDnsZones/privatelink.openai.azure.com"
ZONES_VERSION = "2024-06-01"
NAME = "alpha.openai.linarite.internal"
PRIVATE = "alpha.privatelink.openai.linarite.internal"
OUTSIDE = "public.linarite.internal"


@contextmanager
def zone(sides: Sides, network: Network) -> Iterator[None]:
    """The private zone, linked to a network, in which the endpoint keeps its name."""
    link = {"id": f"{NETWORKS}/virtualNetworks/{network.name}"}
    sides.management.put(ZONE, {"location": "global"}, ZONES_VERSION)
    sides.management.put(
        f"{ZONE}/virtualNetworkLinks/{network.name}",
        {
            "location": "global",
            "properties": {"virtualNetwork": link, "registrationEnabled": False},
        },
        ZONES_VERSION,
    )
    kept = {"name": "openai", "properties": {"privateDnsZoneId": ZONE}}
    group = f"{ENDPOINT}/privateDnsZoneGroups/default"
    sides.management.put(group, {"properties": {"privateDnsZoneConfigs": [kept]}}, VERSION)
    try:
        yield
    finally:
        for path, version in (
            (group, VERSION),
            (f"{ZONE}/virtualNetworkLinks/{network.name}", ZONES_VERSION),
            (ZONE, ZONES_VERSION),
        ):
            answer = sides.management.call("DELETE", path, api_version=version)
            assert answer.status in {200, 202, 204}, answer


def test_the_name_leads_inside_from_inside(sides: Sides) -> None:
    """As in Azure: the one name is the endpoint's in the linked network, and public elsewhere."""
    sides.set(publicNetworkAccess="Disabled")
    with endpoint(sides, APPLICATION, by_hosts=False) as address, zone(sides, APPLICATION):
        asked = {host: sides.clients[host].names(NAME) for host in sides.clients}
        served = {host: sides.by_name(host) for host in ("application", "public")}
    assert asked["application"] == [[NAME, PRIVATE], [address]]
    outside = [[NAME, PRIVATE, OUTSIDE], [PUBLIC.server_address]]
    assert asked["partner"] == asked["public"] == outside
    assert served["application"].status == 200
    assert served["public"].status == 403
    assert served["public"].body == refusal(DOORS["public .10"], CLOSED)


def test_the_name_follows_the_approval(sides: Sides) -> None:
    """Without an approved endpoint there is no alias of the private zone, on neither side."""
    public = [[NAME, OUTSIDE], [PUBLIC.server_address]]
    with (
        endpoint(sides, APPLICATION, manual=True, by_hosts=False) as address,
        zone(sides, APPLICATION),
    ):
        assert sides.clients["public"].names(NAME) == public
        assert sides.clients["application"].names(NAME) == public
        decide(sides, "Approved")
        assert sides.clients["application"].names(NAME)[1] == [address]
        decide(sides, "Rejected")
        assert sides.clients["application"].names(NAME) == public
        assert sides.by_name("application").status == 200, ALPHA
    assert sides.clients["application"].names(NAME) == public


def test_a_responder_answers_for_no_other_names(sides: Sides) -> None:
    """It asks nobody else for anybody."""
    for client in sides.clients.values():
        assert client.names("example.com") == [[], []]
        assert client.names("nobody.openai.linarite.internal") == [[], []]
