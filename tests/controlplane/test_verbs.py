"""How every resource type behaves: the verbs, conditions, paging, errors."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from linarite.controlplane.options import Quota
from linarite.storage.memory.jobs import MemoryJobStore
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, GROUP, SUBSCRIPTION, Rig

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Committed

LOG = "2015-04-01"
pytestmark = pytest.mark.anyio


@pytest.fixture
async def rig() -> Rig:
    """A control plane with a resource group."""
    return await Rig().with_group()


async def test_put_replaces_and_keeps_what_only_the_server_sets(rig: Rig) -> None:
    """What is left out is gone; read-only properties that are sent are ignored."""
    sent = ACCOUNT | {"tags": {"a": "1"}, "properties": {"disableLocalAuth": True, "newer": [1]}}
    made = await rig.ask("PUT", f"{ACCOUNTS}/one", sent)
    assert made.status == 201
    assert made.body["properties"]["newer"] == [1]
    born = made.body["properties"]["dateCreated"]
    replaced = await rig.ask(
        "PUT", f"{ACCOUNTS}/one", ACCOUNT | {"properties": {"dateCreated": "x", "endpoint": "y"}}
    )
    assert replaced.status == 200
    properties = replaced.body["properties"]
    assert properties["dateCreated"] == born
    assert properties["endpoint"] == "https://here/one/"
    assert "disableLocalAuth" not in properties
    assert replaced.body["tags"] == {}
    assert replaced.body["systemData"]["createdAt"] == made.body["systemData"]["createdAt"]
    assert replaced.body["etag"] != made.body["etag"]


async def test_names_of_properties_are_read_in_any_case(rig: Rig) -> None:
    """At any depth: an account that was closed by `PublicNetworkAccess` must not be open."""
    acls = {"DefaultAction": "Deny", "IpRules": [{"Value": "192.0.2.1"}], "newer": 1}
    properties = {"PublicNetworkAccess": "Disabled", "NETWORKACLS": acls, "Newer": 2}
    sent = {("Properties" if key == "properties" else key): each for key, each in ACCOUNT.items()}
    made = await rig.ask("PUT", f"{ACCOUNTS}/one", sent | {"Properties": properties})
    shown = made.body["properties"]
    assert (made.status, shown["publicNetworkAccess"], shown["Newer"]) == (201, "Disabled", 2)
    assert shown["networkAcls"]["defaultAction"] == "Deny"
    assert shown["networkAcls"]["ipRules"] == [{"value": "192.0.2.1"}]
    assert not {"PublicNetworkAccess", "NETWORKACLS"} & set(shown)
    wrong = {"properties": {"PublicNetworkAccess": "Sometimes", "DateCreated": "x"}}
    refused = await rig.ask("PATCH", f"{ACCOUNTS}/one", wrong)
    assert (refused.status, refused.body["target"]) == (400, "properties.publicNetworkAccess")


async def test_a_put_that_changes_nothing_writes_nothing(rig: Rig) -> None:
    """Etag and times stay."""
    first = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    told = rig.told
    again = await rig.ask("PUT", f"{ACCOUNTS}/ONE", ACCOUNT)
    assert again.body == first.body
    assert rig.told == told


async def test_patch_merges(rig: Rig) -> None:
    """Objects are merged, null removes, lists and tags are replaced."""
    acls = {"defaultAction": "Deny", "ipRules": [{"value": "10.0.0.1"}]}
    await rig.ask(
        "PUT",
        f"{ACCOUNTS}/one",
        ACCOUNT | {"tags": {"a": "1"}, "properties": {"networkAcls": acls, "extra": {"x": 1}}},
    )
    changed = await rig.ask(
        "PATCH",
        f"{ACCOUNTS}/one",
        {
            "tags": {"b": "2"},
            "properties": {"networkAcls": {"ipRules": [{"value": "10.0.0.0/8"}]}, "extra": None},
        },
    )
    assert changed.status == 200
    assert changed.body["tags"] == {"b": "2"}
    assert changed.body["properties"]["networkAcls"] == {
        "defaultAction": "Deny",
        "ipRules": [{"value": "10.0.0.0/8"}],
    }
    assert "extra" not in changed.body["properties"]


async def test_what_is_read_can_be_used(rig: Rig) -> None:
    """An answer waits until the data path knows what it tells of: who reads it may call it."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    is_written, may_go_on = asyncio.Event(), asyncio.Event()

    async def data_path(_: Committed) -> None:
        is_written.set()
        await may_go_on.wait()

    rig.resources.subscribe(data_path)
    making = asyncio.create_task(rig.ask("PUT", f"{ACCOUNTS}/two", ACCOUNT))
    await is_written.wait()
    reading = asyncio.create_task(rig.ask("GET", f"{ACCOUNTS}/two"))
    await asyncio.sleep(0.01)
    assert not reading.done()
    may_go_on.set()
    assert (await asyncio.wait_for(reading, 5)).status == 200
    assert (await making).status == 201


async def test_conditions(rig: Rig) -> None:
    """If-Match and If-None-Match let a write pass or refuse it with 412."""
    missing = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT, headers={"if-match": "*"})
    assert (missing.status, missing.body["code"]) == (412, "PreconditionFailed")
    made = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT, headers={"if-none-match": "*"})
    assert made.status == 201
    assert made.headers["etag"] == made.body["etag"]
    for headers, status in (
        ({"if-none-match": "*"}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-match": f'"other", {made.body["etag"]}'}, 200),
    ):
        answer = await rig.ask("PATCH", f"{ACCOUNTS}/one", {"tags": {"n": "1"}}, headers=headers)
        assert answer.status == status
    stale = await rig.ask("DELETE", f"{ACCOUNTS}/one", headers={"if-match": made.body["etag"]})
    assert stale.status == 412
    assert (await rig.ask("DELETE", f"{ACCOUNTS}/one", headers={"if-match": "*"})).status == 200
    assert (await rig.ask("DELETE", f"{ACCOUNTS}/one")).status == 204


async def test_every_problem_is_told_at_once(rig: Rig) -> None:
    """Types first, all of them; then the rules, all of them."""
    types = await rig.ask(
        "PUT",
        f"{ACCOUNTS}/one",
        ACCOUNT | {"properties": {"publicNetworkAccess": "Maybe", "disableLocalAuth": "yes"}},
    )
    assert (types.status, types.body["code"]) == (400, "MultipleErrorsOccurred")
    assert {each["target"] for each in types.body["details"]} == {
        "properties.publicNetworkAccess",
        "properties.disableLocalAuth",
    }
    rules = await rig.ask(
        "PUT",
        f"{ACCOUNTS}/one",
        {
            "location": "mars",
            "kind": "Face",
            "sku": {"name": "F0"},
            "identity": {"type": "Robot"},
            "properties": {"networkAcls": {"ipRules": [{"value": "here"}, {"value": "::1"}]}},
        },
    )
    assert [each["code"] for each in rules.body["details"]] == [
        "LocationNotAvailableForResourceType",
        "InvalidApiSetId",
        "InvalidSkuId",
        "InvalidIpRule",
        "InvalidIdentityType",
    ]
    single = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT | {"kind": "Face"})
    assert (single.body["code"], single.body["target"]) == ("InvalidApiSetId", "kind")


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        (f"{ACCOUNTS}/none", "ResourceNotFound", 404),
        (f"{ACCOUNTS}/none/deployments/x", "ParentResourceNotFound", 404),
        (ACCOUNTS.replace("/rg/", "/other/") + "/x", "ResourceGroupNotFound", 404),
        (ACCOUNTS.replace(SUBSCRIPTION, "no"), "SubscriptionNotFound", 404),
        (f"{GROUP}/providers/Microsoft.Web/sites/x", "InvalidResourceType", 404),
        (f"{ACCOUNTS}/none?api-version=1999-01-01", "NoRegisteredProviderFound", 400),
        (f"{ACCOUNTS}/none/listKeys", "MethodNotAllowed", 405),
    ],
)
async def test_what_is_not_there_is_told(rig: Rig, path: str, code: str, status: int) -> None:
    """The outermost thing that is missing, with the Resource Manager's codes."""
    answer = await rig.ask("GET", path)
    assert (answer.status, answer.body["code"]) == (status, code)


async def test_a_missing_api_version_is_told() -> None:
    """Every path wants one."""
    rig = Rig()
    answer = await rig.ask("GET", GROUP, version=None)
    assert (answer.status, answer.body["code"]) == (400, "MissingApiVersionParameter")


async def test_pages_go_on_where_the_last_one_ended(rig: Rig) -> None:
    """No resource twice, none left out, also when one goes between two pages."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    lists = f"{ACCOUNTS}/one/raiBlocklists"
    for number in range(7):
        await rig.ask("PUT", f"{lists}/list{number}", {"properties": {}})
    first = await rig.ask("GET", f"{lists}?$top=3")
    assert [each["name"] for each in first.body["value"]] == ["list0", "list1", "list2"]
    await rig.ask("DELETE", f"{lists}/list2")
    second = await rig.ask("GET", first.body["nextLink"].removeprefix("https://here"))
    assert [each["name"] for each in second.body["value"]] == ["list3", "list4", "list5"]
    last = await rig.ask("GET", second.body["nextLink"].removeprefix("https://here"))
    assert [each["name"] for each in last.body["value"]] == ["list6"]
    assert "nextLink" not in last.body
    assert (await rig.ask("GET", f"{lists}?$top=none")).status == 400
    assert (await rig.ask("GET", f"{lists}?$skiptoken=***")).status == 400


async def test_a_deployment_is_written_with_its_job(rig: Rig) -> None:
    """The write answers at once; the link follows the job; others wait for it."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    made = await rig.ask("PUT", f"{ACCOUNTS}/one/deployments/a", DEPLOYMENT)
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    link = made.headers["azure-asyncoperation"].removeprefix("https://here")
    running = await rig.ask("GET", link)
    assert (running.status, running.body["status"]) == (200, "InProgress")
    assert running.headers["retry-after"] == "1"
    busy = await rig.ask("PUT", f"{ACCOUNTS}/one/deployments/a", DEPLOYMENT)
    assert (busy.status, busy.body["code"]) == (409, "RequestConflict")
    await rig.end_jobs()
    done = await rig.ask("GET", link)
    assert (done.body["status"], done.body["percentComplete"]) == ("Succeeded", 100.0)
    scaled = await rig.ask(
        "PATCH", f"{ACCOUNTS}/one/deployments/a", {"sku": {"name": "Standard", "capacity": 20}}
    )
    assert scaled.status == 202
    location = scaled.headers["location"].removeprefix("https://here")
    assert (await rig.ask("GET", location)).status == 202
    await rig.end_jobs()
    result = await rig.ask("GET", location)
    assert (result.status, result.body["sku"]["capacity"]) == (200, 20)


class MeddlingJobs(MemoryJobStore):
    """Something else writes the resource while a request looks for running jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.meddle: Callable[[], Awaitable[object]] | None = None

    async def running(self, resource_id: str) -> list[Job]:
        """Meddle, then answer."""
        if self.meddle is not None:
            await self.meddle()
        return await super().running(resource_id)


async def test_a_job_that_ends_in_between_is_a_conflict() -> None:
    """Not a failed condition: the client has set none, and may simply try again."""
    rig = await Rig().with_group()
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    rig.surface.jobs = jobs = MeddlingJobs()
    present = await rig.resources.get(f"{ACCOUNTS}/one")
    assert present is not None
    jobs.meddle = lambda: rig.resources.put(present)
    answer = await rig.ask("PATCH", f"{ACCOUNTS}/one", {"tags": {"a": "1"}})
    assert (answer.status, answer.body["code"]) == (409, "RequestConflict")
    jobs.meddle = None
    assert (await rig.ask("PATCH", f"{ACCOUNTS}/one", {"tags": {"a": "1"}})).status == 200


async def test_quota_never_refuses_what_is_there() -> None:
    """Asking for more is refused beyond the pool; less, or the same, never is."""
    rig = await Rig(quota=Quota(capacity_max=10)).with_group()
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    path = f"{ACCOUNTS}/one/deployments/a"
    assert (await rig.ask("PUT", path, DEPLOYMENT)).status == 201
    await rig.end_jobs()
    rig.surface.quota = Quota(capacity_max=1)
    tagged = await rig.ask("PUT", path, DEPLOYMENT | {"tags": {"a": "1"}})
    assert tagged.status == 200
    more = DEPLOYMENT | {"sku": {"name": "Standard", "capacity": 11}}
    refused = await rig.ask("PUT", path, more)
    assert (refused.status, refused.body["code"]) == (400, "InsufficientQuota")
    less = DEPLOYMENT | {"sku": {"name": "Standard", "capacity": 5}}
    assert (await rig.ask("PUT", path, less)).status == 200


COGNITIVE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
TEMPLATES = f"{GROUP}/providers/Microsoft.Resources/deployments"
VALUES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"


async def test_what_is_done_is_in_the_activity_log(rig: Rig) -> None:
    """Writes, deletes, actions and refusals leave a beginning and an end; reads leave nothing."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    await rig.ask("PUT", f"{ACCOUNTS}/two", ACCOUNT | {"kind": "Face"})
    await rig.ask("POST", f"{ACCOUNTS}/one/listKeys")
    await rig.ask("GET", f"{ACCOUNTS}/one")
    answer = await rig.ask("GET", f"{VALUES}?$filter=resourceUri eq '{ACCOUNTS}/one'", version=LOG)
    assert answer.status == 200
    told = [
        (each["operationName"]["value"], each["eventName"]["value"], each["status"]["value"])
        for each in answer.body["value"]
    ]
    kind = "Microsoft.CognitiveServices/accounts"
    assert told == [
        (f"{kind}/listKeys/action", "EndRequest", "Succeeded"),
        (f"{kind}/listKeys/action", "BeginRequest", "Started"),
        (f"{kind}/write", "EndRequest", "Succeeded"),
        (f"{kind}/write", "BeginRequest", "Started"),
    ]
    of_group = await rig.ask("GET", f"{VALUES}?$filter=resourceGroupName eq 'RG'", version=LOG)
    failed = [each for each in of_group.body["value"] if each["status"]["value"] == "Failed"]
    assert [each["properties"]["statusMessage"] for each in failed] == ["InvalidApiSetId"]
    keys = await rig.keys.ensure(f"{ACCOUNTS}/one")
    assert keys.key1 not in str(of_group.body)
    future = await rig.ask(
        "GET", f"{VALUES}?$filter=eventTimestamp ge '2999-01-01T00:00:00Z'", version=LOG
    )
    assert future.body["value"] == []
    wrong = await rig.ask("GET", f"{VALUES}?$filter=colour eq 'red'", version=LOG)
    assert wrong.status == 400


async def test_keys_that_are_made_late_open_at_once(rig: Rig) -> None:
    """The server may have been killed between making an account and making its keys."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    path = f"{ACCOUNTS}/one/listKeys"
    told = rig.told
    first = await rig.ask("POST", path)
    assert (first.status, rig.told) == (200, told)
    await rig.keys.forget(f"{ACCOUNTS}/one")
    late = await rig.ask("POST", path)
    assert late.body != first.body
    assert (await rig.ask("POST", path)).body == late.body
    assert rig.told == told + 1


async def test_a_server_without_regions_stands_for_every_location() -> None:
    """Templates written for any region apply."""
    rig = await Rig(anywhere=True).with_group()
    made = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT | {"location": "Sweden Central"})
    assert (made.status, made.body["location"]) == (201, "swedencentral")
    moved = await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT | {"location": "westus"})
    assert (moved.status, moved.body["code"]) == (409, "InvalidResourceLocation")


@pytest.mark.parametrize(
    ("method", "path", "version", "body"),
    [
        ("GET", f"{ACCOUNTS}?$top={'9' * 5000}", "", None),
        ("GET", f"{VALUES}?$skiptoken={'9' * 30}", LOG, None),
        (
            "GET",
            f"{VALUES}?$filter=eventTimestamp ge '0001-01-01T00:00:00%2B10:00'",
            LOG,
            None,
        ),
        ("POST", f"{COGNITIVE}/calculateModelCapacity", "", {"model": {"name": ["gpt-4o"]}}),
        (
            "PUT",
            f"{ACCOUNTS}/one/raiBlocklists/b/raiBlocklistItems/i",
            "",
            {"properties": {"pattern": "a{99999999999999}", "isRegex": True}},
        ),
        ("PUT", f"{TEMPLATES}/x", "", {"properties": {"template": "[" * 200_000}}),
    ],
)
async def test_what_no_client_should_send_is_refused(
    rig: Rig, method: str, path: str, version: str, body: object
) -> None:
    """Numbers, times, patterns and documents beyond all bounds are the client's mistake."""
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    await rig.ask("PUT", f"{ACCOUNTS}/one/raiBlocklists/b", {"properties": {}})
    assert (await rig.ask(method, path, body, version=version)).status == 400
