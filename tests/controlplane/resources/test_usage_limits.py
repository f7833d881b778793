"""Linarite.Quota/usageLimits on the control plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.controlplane.resources.usage_limits.rules import LIMITS_MAX
from linarite.domain.activity import ActivityQuery
from linarite.domain.usage_limits import (
    MEASURES,
    USAGE_LIMIT_TYPE,
    Bound,
    Standing,
    UsageLimit,
)
from tests.controlplane.people import OPENAI_USER, READER, assign, person
from tests.controlplane.rig import ACCOUNT, ACCOUNTS, DEPLOYMENT, SUBSCRIPTION, Rig
from tests.storage.builders import make_resource

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer

pytestmark = pytest.mark.anyio

ONE = f"{ACCOUNTS}/one"
LIMITS = f"{ONE}/providers/{USAGE_LIMIT_TYPE}"
OF_ALL = f"/subscriptions/{SUBSCRIPTION}/providers/{USAGE_LIMIT_TYPE}"
VERSION = "2025-09-01"
COGNITIVE_SERVICES_CONTRIBUTOR = "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68"
EACH_PERSON: dict[str, Any] = {"appliesTo": {"kind": "principal"}, "tokensPerDay": 1000}


@pytest.fixture
async def rig() -> Rig:
    """An account with a deployment."""
    rig = await Rig().with_group()
    await rig.access.refresh()
    assert (await rig.ask("PUT", ONE, ACCOUNT)).status == 201
    assert (await rig.ask("PUT", f"{ONE}/deployments/chat", DEPLOYMENT)).status == 201
    return rig


async def put(rig: Rig, where: str = LIMITS, **properties: Any) -> Answer:  # noqa: ANN401 - JSON
    """Ask for the limit `first`."""
    return await rig.ask("PUT", f"{where}/first", {"properties": properties}, version=VERSION)


async def test_a_limit_is_made_shown_changed_and_deleted(rig: Rig) -> None:
    """As any resource is, with an activity record of each change."""
    made = await put(rig, **EACH_PERSON, costPerMonth=12.5, warnAt=[95, 80, 80])
    assert (made.status, made.body["type"]) == (201, USAGE_LIMIT_TYPE)
    assert made.body["properties"] == EACH_PERSON | {
        "costPerMonth": 12.5,
        "warnAt": [80, 95],
        "provisioningState": "Succeeded",
    }
    patch = {"properties": {"tokensPerDay": 2000}}
    changed = await rig.ask("PATCH", f"{LIMITS}/first", patch, version=VERSION)
    assert changed.body["properties"]["tokensPerDay"] == 2000
    listed = await rig.ask("GET", LIMITS, version=VERSION)
    assert [each["name"] for each in listed.body["value"]] == ["first"]
    gone = await rig.ask("DELETE", f"{LIMITS}/first", version=VERSION)
    assert gone.status == 200
    assert (await rig.ask("GET", f"{LIMITS}/first", version=VERSION)).status == 404
    events = await rig.activity.read(ActivityQuery(subscription=SUBSCRIPTION))
    told = {each.body["authorization"]["action"] for each in events}
    assert "Microsoft.CognitiveServices/usageLimits/write" in told
    assert "Microsoft.CognitiveServices/usageLimits/delete" in told


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"tokensPerDay": 5}, "Say whose use it limits"),
        ({"appliesTo": {"kind": "principal"}}, "It limits nothing: give at least one of"),
        ({"appliesTo": {"kind": "subscription"}, "tokensPerDay": 5}, "spans accounts"),
        ({"appliesTo": {"kind": "pool"}, "tokensPerDay": 5}, "spans accounts"),
        ({"appliesTo": {"kind": "account", "name": "x"}, "tokensPerDay": 5}, "leave appliesTo.na"),
        ({"appliesTo": {"kind": "tag"}, "tokensPerDay": 5}, "Name the tag"),
        ({"appliesTo": {"kind": "deployment", "name": "x"}, "tokensPerDay": 5}, "It has: chat."),
        ({"appliesTo": {"kind": "applicationKey", "name": "x"}, "tokensPerDay": 5}, "It has: none"),
        ({"appliesTo": {"kind": "project", "name": "x"}, "tokensPerDay": 5}, "no project 'x'"),
        ({"appliesTo": {"kind": "nobody"}, "tokensPerDay": 5}, "appliesTo.kind"),
        ({"appliesTo": {"kind": "endUser"}, "tokensPerDay": 0}, "properties.tokensPerDay"),
        ({"appliesTo": {"kind": "endUser"}, "costPerDay": -1}, "properties.costPerDay"),
        ({"appliesTo": {"kind": "endUser"}, "tokensPerDay": 1, "warnAt": [101]}, "warnAt"),
    ],
)
async def test_what_would_limit_nothing_is_refused(
    rig: Rig, properties: dict[str, Any], says: str
) -> None:
    """And the refusal says what to write instead."""
    refused = await put(rig, **properties)
    assert refused.status == 400
    assert says in refused.body["message"]


async def test_a_limit_is_set_on_an_account_or_the_subscription(rig: Rig) -> None:
    """Whatever other scopes there are."""
    group = ONE.partition("/providers/")[0]
    for scope in (group, f"{ONE}/deployments/chat"):
        refused = await put(rig, f"{scope}/providers/{USAGE_LIMIT_TYPE}", **EACH_PERSON)
        assert refused.body["code"] == "InvalidUsageLimitScope", scope
    made = await put(rig, OF_ALL, appliesTo={"kind": "pool"}, tokensPerMinute=1000)
    assert made.status == 201
    missing = await put(rig, f"{ACCOUNTS}/none/providers/{USAGE_LIMIT_TYPE}", **EACH_PERSON)
    assert missing.status == 404


async def test_who_manages_accounts_manages_limits(rig: Rig) -> None:
    """By Azure's own roles; readers and users of the models read, and hear of nobody's use."""
    await assign(rig, COGNITIVE_SERVICES_CONTRIBUTOR, "ann", ONE)
    await assign(rig, READER, "bob", ONE)
    await assign(rig, OPENAI_USER, "cy", ONE)
    body = {"properties": EACH_PERSON}

    async def ask(method: str, who: str, where: str = LIMITS) -> int:
        content = body if method == "PUT" else None
        path = f"{where}/first"
        return (await rig.ask(method, path, content, version=VERSION, caller=person(who))).status

    assert [await ask("PUT", who) for who in ("dee", "bob", "cy", "ann")] == [403, 403, 403, 201]
    assert [await ask("GET", who) for who in ("dee", "bob", "cy", "ann")] == [403, 200, 200, 200]
    assert await ask("PUT", "ann", OF_ALL) == 403
    usage = "GET", f"{LIMITS}/first/usage"
    assert [
        (await rig.ask(*usage, version=VERSION, caller=person(who))).status
        for who in ("dee", "bob", "cy", "ann")
    ] == [403, 403, 403, 200]
    assert [await ask("DELETE", who) for who in ("bob", "ann")] == [403, 200]


async def test_what_settings_declare_is_theirs_to_change(rig: Rig) -> None:
    """Neither a write nor a deletion would outlive the next start."""
    stored = make_resource(f"{LIMITS}/first", USAGE_LIMIT_TYPE, **EACH_PERSON)
    by = {"createdBy": "linarite.toml"}
    await rig.resources.put(msgspec.structs.replace(stored, system_data=by))
    for method in ("PUT", "DELETE"):
        body = {"properties": EACH_PERSON | {"tokensPerDay": 5}} if method == "PUT" else None
        refused = await rig.ask(method, f"{LIMITS}/first", body, version=VERSION)
        assert (refused.status, refused.body["code"]) == (409, "DeclaredBySettings")
        assert "[[usage_limits]]" in refused.body["message"]


async def test_there_are_so_many_limits(rig: Rig) -> None:
    """Each costs whenever an account's facts are read."""
    for at in range(LIMITS_MAX):
        await rig.resources.put(make_resource(f"{LIMITS}/l{at}", USAGE_LIMIT_TYPE, **EACH_PERSON))
    refused = await put(rig, **EACH_PERSON)
    assert (refused.status, refused.body["code"]) == (409, "UsageLimitsExhausted")


class Counts:
    """Says what a test wants said of any limit."""

    async def standing(self, limit: UsageLimit) -> list[Standing]:
        """Three subjects, two of whom differ by a capital letter."""
        cost_per_day = next(each for each in MEASURES if each.name == "costPerDay")
        money = Bound(cost_per_day, 3_000_000_000)
        return [
            Standing("bob", limit.bounds[0], 400),
            Standing("ann", limit.bounds[0], 1200, "2026-02-01T00:00:00Z"),
            Standing("ann", money, 1_250_000_000),
            Standing("Bob", limit.bounds[0], 1),
        ]


async def test_what_is_left_is_told(rig: Rig) -> None:
    """Of each subject and measure, money as people write it."""
    await put(rig, **EACH_PERSON)
    rig.surface.limit_counts = Counts()
    answer = await rig.ask("GET", f"{LIMITS}/first/usage", version=VERSION)
    assert answer.body["value"] == [
        {"subject": "ann", "measure": "costPerDay", "used": 1.25, "limit": 3, "left": 1.75},
        {
            "subject": "ann",
            "measure": "tokensPerDay",
            "used": 1200,
            "limit": 1000,
            "left": 0,
            "resetsAt": "2026-02-01T00:00:00Z",
        },
        {"subject": "Bob", "measure": "tokensPerDay", "used": 1, "limit": 1000, "left": 999},
        {"subject": "bob", "measure": "tokensPerDay", "used": 400, "limit": 1000, "left": 600},
    ]
    missing = await rig.ask("GET", f"{LIMITS}/none/usage", version=VERSION)
    assert missing.status == 404
