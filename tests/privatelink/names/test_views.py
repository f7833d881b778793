"""The account's one name leads to the endpoint inside and to the public side outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.privatelink.names.look_up import look_up
from tests.controlplane.private_links import (
    ADDRESSES,
    ENDPOINT,
    ZONES,
    decide,
    endpoint,
    made,
    private_rig,
)
from tests.controlplane.rig import ACCOUNT, ACCOUNTS
from tests.privatelink.names.world import (
    AZURE_ZONE,
    DOMAIN,
    NAME,
    OWN_ZONE,
    PRIVATE_NAME,
    PUBLIC_ADDRESS,
    connected,
    inside,
    linked_zone,
    outside,
    zone_group,
)

if TYPE_CHECKING:
    from linarite.privatelink.names.views import PublicView

pytestmark = pytest.mark.anyio

INSIDE = [("CNAME", f"{PRIVATE_NAME}."), ("A", ADDRESSES[0])]
OUTSIDE = [
    ("CNAME", f"{PRIVATE_NAME}."),
    ("CNAME", f"public.{DOMAIN}."),
    ("A", PUBLIC_ADDRESS),
]
NOT_CONNECTED = [("CNAME", f"public.{DOMAIN}."), ("A", PUBLIC_ADDRESS)]


def asked(view: PublicView, name: str, kind: str = "A") -> list[tuple[str, str]] | str:
    """The records on the way, or why there are none."""
    found = look_up(view.zones(), name, kind)
    if found.outcome != "found":
        return found.outcome
    return [(each.type, value) for each in found.answer for value in each.values]


async def test_inside_and_outside() -> None:
    """As Azure's public DNS and a virtual network's private one answer."""
    rig = await connected()
    assert asked(inside(rig), NAME) == INSIDE
    assert asked(outside(rig), NAME) == OUTSIDE
    assert asked(outside(rig), NAME, "AAAA") == OUTSIDE[:2]
    assert asked(inside(rig), "alpha.privatelink.openai.azure.com") == [("A", ADDRESSES[0])]
    assert asked(outside(rig), "alpha.privatelink.openai.azure.com") == "not ours"
    assert asked(inside(rig), "alpha.openai.azure.com") == "not ours"
    # Two of the account's names are in zones that nobody has linked.
    assert asked(inside(rig), NAME.replace("openai", "cognitiveservices"))[-1] == OUTSIDE[-1]


async def test_a_zone_of_the_servers_own_domain_does_as_well() -> None:
    """What `privateLinkResources` names."""
    rig = await private_rig()
    await made(rig, ENDPOINT, endpoint())
    await linked_zone(rig, OWN_ZONE)
    group = await zone_group(rig, OWN_ZONE)
    assert asked(inside(rig), NAME) == INSIDE
    (config,) = group["properties"]["privateDnsZoneConfigs"]
    assert config["properties"]["recordSets"] == [
        {
            "recordType": "A",
            "recordSetName": "alpha",
            "fqdn": PRIVATE_NAME,
            "ttl": 10,
            "provisioningState": "Succeeded",
            "ipAddresses": [ADDRESSES[0]],
        }
    ]


async def test_names_follow_approval() -> None:
    """Pending leads nowhere but outside; approved to the endpoint; rejected outside again."""
    rig = await connected(manual=True)
    view = inside(rig)
    assert asked(view, NAME) == NOT_CONNECTED
    await decide(rig, "Approved")
    assert asked(view, NAME) == INSIDE
    records = (await rig.ask("GET", f"{AZURE_ZONE}/A")).body["value"]
    assert [each["properties"]["aRecords"] for each in records] == [[{"ipv4Address": ADDRESSES[0]}]]
    await decide(rig, "Rejected")
    assert asked(view, NAME) == NOT_CONNECTED
    assert (await rig.ask("GET", f"{AZURE_ZONE}/A")).body["value"] == []


async def test_a_linked_zone_without_the_record_hides_the_public_side() -> None:
    """As in Azure, unless the link says to look outside then."""
    rig = await connected()
    await rig.ask("DELETE", f"{ENDPOINT}/privateDnsZoneGroups/default")
    assert asked(inside(rig), NAME) == "no such name"
    link = f"{AZURE_ZONE}/virtualNetworkLinks/apps"
    await rig.ask("PATCH", link, {"properties": {"resolutionPolicy": "NxDomainRedirect"}})
    assert asked(inside(rig), NAME) == OUTSIDE
    await rig.ask("DELETE", link)
    assert asked(inside(rig), NAME) == OUTSIDE


async def test_zones_that_are_not_linked_are_not_seen() -> None:
    """Another zone of a person's own, linked or not."""
    rig = await private_rig()
    zone = f"{ZONES}/corp.example"
    await made(rig, zone, {"location": "global"})
    records = {"ttl": 30, "aRecords": [{"ipv4Address": "10.0.0.9"}]}
    await made(rig, f"{zone}/A/db", {"properties": records})
    await made(
        rig, f"{zone}/CNAME/store", {"properties": {"cnameRecord": {"cname": "db.corp.example"}}}
    )
    await made(rig, f"{zone}/A/*.apps", {"properties": records})
    texts = {"txtRecords": [{"value": ['a "quoted" text', "b\\c"]}]}
    await made(rig, f"{zone}/TXT/@", {"properties": texts})
    mail = {"mxRecords": [{"preference": 5, "exchange": "mail.example"}]}
    await made(rig, f"{zone}/MX/@", {"properties": mail})
    assert asked(inside(rig), "db.corp.example") == "not ours"
    await linked_zone(rig, zone)
    view = inside(rig)
    assert asked(view, "store.corp.example") == [
        ("CNAME", "db.corp.example."),
        ("A", "10.0.0.9"),
    ]
    assert asked(view, "any.apps.corp.example") == [("A", "10.0.0.9")]
    assert asked(view, "apps.corp.example") == []
    assert asked(view, "db.apps.corp.example", "TXT") == []
    assert asked(view, "nothing.corp.example") == "no such name"
    assert asked(view, "corp.example", "MX") == [("MX", "5 mail.example.")]
    assert asked(view, "corp.example", "TXT") == [("TXT", '"a \\"quoted\\" text" "b\\\\c"')]
    assert asked(outside(rig), "db.corp.example") == "not ours"


async def test_the_domain_itself() -> None:
    """Accounts are there, other names are not, and what lies between is empty."""
    rig = await private_rig()
    await made(rig, f"{ACCOUNTS}/beta", ACCOUNT)
    view = outside(rig)
    assert asked(view, f"beta.openai.{DOMAIN}") == NOT_CONNECTED
    assert asked(view, f"beta.privatelink.openai.{DOMAIN}") == "no such name"
    assert asked(view, f"nobody.openai.{DOMAIN}") == "no such name"
    assert asked(view, f"openai.{DOMAIN}") == []
    assert asked(view, DOMAIN) == [("A", PUBLIC_ADDRESS)]
    assert asked(view, DOMAIN, "NS") == [("NS", f"ns.{DOMAIN}.")]
    assert asked(view, "example.com") == "not ours"
    assert asked(view, f"not{DOMAIN}") == "not ours"
    (soa,) = asked(view, DOMAIN, "SOA")
    before = int(soa[1].split()[2])
    await rig.ask("DELETE", f"{ACCOUNTS}/beta")
    assert asked(view, f"beta.openai.{DOMAIN}") == "no such name"
    ((_, text),) = asked(view, DOMAIN, "SOA")
    assert int(str(text).split()[2]) > before


async def test_aliases_that_lead_in_circles_end() -> None:
    """A chain is followed a few steps, no more."""
    rig = await private_rig()
    zone = f"{ZONES}/corp.example"
    await linked_zone(rig, zone)
    for one, other in (("a", "b"), ("b", "a")):
        record = {"cnameRecord": {"cname": f"{other}.corp.example"}}
        await made(rig, f"{zone}/CNAME/{one}", {"properties": record})
    assert len(asked(inside(rig), "a.corp.example")) == 8
