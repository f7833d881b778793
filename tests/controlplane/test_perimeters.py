"""Network security perimeters in the control plane: what each type takes, what accounts show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.domain.network import OPEN
from tests.controlplane.people import CONTRIBUTOR, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, GROUP, SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer

pytestmark = pytest.mark.anyio
ONE = f"{ACCOUNTS}/one"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
PERIMETER = f"{NETWORK}/networkSecurityPerimeters/edge"
PROFILE = f"{PERIMETER}/profiles/main"
ASSOCIATION = f"{PERIMETER}/resourceAssociations/one"
INBOUND = {"direction": "Inbound", "addressPrefixes": ["198.51.100.0/24"]}
OUTBOUND = {"direction": "Outbound", "fullyQualifiedDomainNames": ["*.example.com"]}


class Site:
    """A control plane with an account, asked in the perimeters' api-version."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig

    async def put(self, path: str, properties: dict[str, Any] | None = None) -> Answer:
        """Make or replace."""
        body: dict[str, Any] = {"properties": properties or {}}
        if path == PERIMETER:
            body["location"] = "local"
        return await self.rig.ask("PUT", path, body, version="2024-07-01")

    async def get(self, path: str) -> Answer:
        """Read."""
        return await self.rig.ask("GET", path, version="2024-07-01")

    async def delete(self, path: str) -> Answer:
        """Delete."""
        return await self.rig.ask("DELETE", path, version="2024-07-01")


@pytest.fixture
async def site() -> Site:
    """One with a perimeter and a profile."""
    rig = await Rig().with_group()
    await rig.ask("PUT", ONE, ACCOUNT)
    site = Site(rig)
    assert (await site.put(PERIMETER)).status == 201
    assert (await site.put(PROFILE)).status == 201
    return site


def associated(mode: str | None = "Enforced") -> dict[str, Any]:
    """An association of the account."""
    named = {"privateLinkResource": {"id": ONE}, "profile": {"id": PROFILE}}
    return named | ({"accessMode": mode} if mode else {})


async def test_a_perimeter_has_a_guid_that_stays(site: Site) -> None:
    """Listed in its group and its subscription; changed by tags alone."""
    made = await site.get(PERIMETER)
    guid = made.body["properties"]["perimeterGuid"]
    assert made.body["properties"] == {"provisioningState": "Succeeded", "perimeterGuid": guid}
    assert (await site.put(PERIMETER)).body["properties"]["perimeterGuid"] == guid
    for scope in (GROUP, f"/subscriptions/{SUBSCRIPTION}"):
        listed = await site.get(f"{scope}/providers/Microsoft.Network/networkSecurityPerimeters")
        assert [each["id"] for each in listed.body["value"]] == [PERIMETER]
    kinds = await site.get(
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/locations/local"
        "/perimeterAssociableResourceTypes"
    )
    assert [each["properties"]["resourceType"] for each in kinds.body["value"]] == [
        "Microsoft.CognitiveServices/accounts"
    ]


async def test_rules_are_counted_by_their_profile(site: Site) -> None:
    """Each change makes a new version; a repeated write none."""
    for rule, expected in (("in", "1"), ("out", "2")):
        sent = INBOUND if rule == "in" else OUTBOUND
        assert (await site.put(f"{PROFILE}/accessRules/{rule}", sent)).status == 201
        assert (await site.put(f"{PROFILE}/accessRules/{rule}", sent)).status == 200
        assert (await site.get(PROFILE)).body["properties"]["accessRulesVersion"] == expected
    shown = (await site.get(f"{PROFILE}/accessRules/in")).body["properties"]
    assert shown["addressPrefixes"] == ["198.51.100.0/24"]
    assert shown["fullyQualifiedDomainNames"] == []
    assert (await site.delete(f"{PROFILE}/accessRules/in")).status == 200
    assert (await site.get(PROFILE)).body["properties"]["accessRulesVersion"] == "3"


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({}, "InvalidRequestContent"),
        ({"direction": "Inbound"}, "NspAccessRuleParametersInvalid"),
        (
            INBOUND | {"subscriptions": [{"id": f"/subscriptions/{SUBSCRIPTION}"}]},
            "NspAccessRuleParametersInvalid",
        ),
        (OUTBOUND | {"direction": "Inbound"}, "NspAccessRuleParametersInvalid"),
        (INBOUND | {"direction": "Outbound"}, "NspAccessRuleParametersInvalid"),
        (
            {"direction": "Outbound", "emailAddresses": ["a@example.com"]},
            "NspAccessRuleParametersInvalid",
        ),
        ({"direction": "Inbound", "addressPrefixes": ["here"]}, "NspAddressPrefixInvalid"),
        ({"direction": "Inbound", "subscriptions": [{"id": "x"}]}, "NspSubscriptionInvalid"),
        (
            {"direction": "Outbound", "fullyQualifiedDomainNames": ["https://a"]},
            "InvalidFqdn",
        ),
    ],
)
async def test_rules_that_mean_nothing_are_refused(
    site: Site, properties: dict[str, Any], code: str
) -> None:
    """With a code of their own, and nothing is kept."""
    refused = await site.put(f"{PROFILE}/accessRules/rule", properties)
    assert (refused.status, refused.body["code"]) == (400, code), refused.body
    assert (await site.get(f"{PROFILE}/accessRules/rule")).status == 404


async def test_an_account_shows_its_perimeter(site: Site) -> None:
    """As a configuration, which can be reconciled, and is gone with the association."""
    await site.put(f"{PROFILE}/accessRules/in", INBOUND)
    made = await site.put(ASSOCIATION, associated(None))
    assert made.status == 201, made.body
    assert made.body["properties"]["accessMode"] == "Learning"
    assert made.body["properties"]["hasProvisioningIssues"] == "no"
    listed = await site.rig.ask("GET", f"{ONE}/networkSecurityPerimeterConfigurations")
    (shown,) = listed.body["value"]
    guid = (await site.get(PERIMETER)).body["properties"]["perimeterGuid"]
    assert shown["name"] == f"{guid}.one"
    properties = shown["properties"]
    assert properties["networkSecurityPerimeter"] == {
        "id": PERIMETER,
        "perimeterGuid": guid,
        "location": "local",
    }
    assert properties["resourceAssociation"] == {"name": "one", "accessMode": "Learning"}
    assert properties["profile"]["accessRulesVersion"] == 1
    assert properties["profile"]["accessRules"][0]["properties"]["addressPrefixes"] == [
        "198.51.100.0/24"
    ]
    assert (await site.rig.ask("GET", shown["id"])).body == shown
    assert (await site.rig.ask("POST", f"{shown['id']}/reconcile")).status == 200
    assert (await site.delete(ASSOCIATION)).status == 200
    listed = await site.rig.ask("GET", f"{ONE}/networkSecurityPerimeterConfigurations")
    assert listed.body == {"value": []}
    assert (await site.rig.ask("POST", f"{shown['id']}/reconcile")).status == 404


async def test_associations_that_lead_nowhere_are_refused(site: Site) -> None:
    """No such account, no such profile, an account that is in a perimeter already."""
    for word, code in (("privateLinkResource", "NspResourceNotFound"),):
        refused = await site.put(ASSOCIATION, associated() | {word: {"id": f"{ACCOUNTS}/none"}})
        assert (refused.status, refused.body["code"]) == (400, code)
    refused = await site.put(ASSOCIATION, associated() | {"profile": {"id": f"{PROFILE}2"}})
    assert (refused.status, refused.body["code"]) == (400, "NspProfileNotFound")
    assert (await site.put(ASSOCIATION, associated())).status == 201
    again = await site.put(f"{ASSOCIATION}2", associated())
    assert (again.status, again.body["code"]) == (409, "NspResourceAlreadyAssociated")


async def test_what_is_in_use_stays(site: Site) -> None:
    """A perimeter and a profile with an association, until that has gone."""
    await site.put(ASSOCIATION, associated())
    for path, code in (
        (PROFILE, "NspProfileHasAssociations"),
        (PERIMETER, "NspHasAssociations"),
    ):
        refused = await site.delete(path)
        assert (refused.status, refused.body["code"]) == (409, code)
    await site.delete(ASSOCIATION)
    assert (await site.delete(PERIMETER)).status == 200
    assert (await site.get(PROFILE)).status == 404


async def test_a_perimeters_group_takes_no_rules_from_accounts_of_others(site: Site) -> None:
    """Deleting the group would be a way around the right to take an account out."""
    edges = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/edges"
    await site.rig.ask("PUT", edges, {"location": "local"}, version="2021-04-01")
    perimeter = PERIMETER.replace(GROUP, edges)
    profile, association = PROFILE.replace(GROUP, edges), ASSOCIATION.replace(GROUP, edges)
    made = {"location": "local", "properties": {}}
    await site.rig.ask("PUT", perimeter, made, version="2024-07-01")
    await site.put(profile)
    named = {"privateLinkResource": {"id": ONE}, "profile": {"id": profile}}
    assert (await site.put(association, named | {"accessMode": "Enforced"})).status == 201
    refused = await site.rig.ask("DELETE", edges, version="2021-04-01")
    assert (refused.status, refused.body["code"]) == (409, "NspHasAssociations")
    assert (await site.get(association)).status == 200
    await site.delete(association)
    assert (await site.rig.ask("DELETE", edges, version="2021-04-01")).status in {200, 202}


async def test_an_account_in_no_perimeter_costs_nothing(site: Site) -> None:
    """Its rules are the very ones that it had."""
    assert site.rig.perimeters.around(ONE, OPEN) is OPEN
    await site.put(ASSOCIATION, associated())
    assert site.rig.perimeters.around(ONE, OPEN) is not OPEN
    assert site.rig.perimeters.around(f"{ACCOUNTS}/other", OPEN) is OPEN


async def test_joining_takes_a_right_at_the_account(site: Site) -> None:
    """Whoever owns a perimeter opens no account that is not his, and takes none out."""
    rig, mallory = site.rig, person("mallory")
    await assign(rig, CONTRIBUTOR, "mallory", PERIMETER)
    body = {"properties": associated()}
    refused = await rig.ask("PUT", ASSOCIATION, body, version="2024-07-01", caller=mallory)
    assert (refused.status, refused.body["code"]) == (403, "LinkedAuthorizationFailed")
    assert rig.perimeters.association_of(ONE) is None
    assert (await site.put(ASSOCIATION, associated())).status == 201
    refused = await rig.ask("DELETE", ASSOCIATION, version="2024-07-01", caller=mallory)
    assert refused.status == 403
    await assign(rig, CONTRIBUTOR, "mallory", ONE)
    gone = await rig.ask("DELETE", ASSOCIATION, version="2024-07-01", caller=mallory)
    assert gone.status == 200, gone.body


async def test_a_recovered_account_is_in_its_perimeter_again(site: Site) -> None:
    """Deleting an account leaves its association: it comes back no more open than it was."""
    await site.put(ASSOCIATION, associated())
    assert (await site.rig.ask("DELETE", ONE)).status in (200, 202, 204)
    assert site.rig.perimeters.association_of(ONE) is None
    restored = ACCOUNT | {"properties": {"restore": True}}
    assert (await site.rig.ask("PUT", ONE, restored)).status == 201
    assert site.rig.perimeters.association_of(ONE) is not None


@pytest.mark.parametrize(
    ("mode", "others"), [("Enforced", "refused"), ("Learning", "none in force")]
)
async def test_whether_an_address_would_pass_the_perimeter(
    site: Site, mode: str, others: str
) -> None:
    """An enforced one refuses whom no rule of it names, whatever the account says."""
    await site.put(f"{PROFILE}/accessRules/office", INBOUND)
    await site.put(ASSOCIATION, associated(mode))
    reach = f"{ONE}/providers/Linarite.Operations/reachability?address="
    named = await site.rig.ask("GET", f"{reach}198.51.100.7", version="2026-11-01")
    assert named.body["publicSide"]["decidedBy"] == "perimeterRule office"
    other = await site.rig.ask("GET", f"{reach}203.0.113.7", version="2026-11-01")
    assert other.body["publicSide"]["outcome"] == others
