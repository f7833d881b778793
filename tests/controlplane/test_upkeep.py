"""What the control plane does by itself, and how long-running operations end in the log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from linarite.controlplane.endings import Endings
from linarite.controlplane.resources.template_deployments.place import DEPLOYMENT_TYPE
from linarite.controlplane.upkeep import Upkeep, tidy
from linarite.domain.activity import ActivityQuery
from linarite.domain.jobs import JobProblem
from linarite.domain.resource import Put, Resource
from tests.controlplane.rig import (
    ACCOUNT,
    ACCOUNTS,
    DEPLOYMENT,
    GROUP,
    SUBSCRIPTION,
    VERSION,
    Rig,
)

pytestmark = pytest.mark.anyio
CHAT = f"{ACCOUNTS}/one/deployments/chat"
DELETED = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/local"
    "/resourceGroups/rg/deletedAccounts/one"
)
LOG = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
OPERATIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Linarite.Hosting/operations"


@pytest.fixture
async def rig() -> Rig:
    """A control plane with an account, which follows the end of jobs as a server does."""
    rig = await Rig().with_group()
    rig.resources.subscribe(Endings(rig.surface).follow)
    await rig.ask("PUT", f"{ACCOUNTS}/one", ACCOUNT)
    return rig


def later(rig: Rig, **by: float) -> None:
    """Let time pass."""
    at = datetime.now(UTC) + timedelta(**by)
    rig.surface.now = lambda: at


async def test_deleted_accounts_are_purged_when_their_time_is_over(rig: Rig) -> None:
    """After 48 hours, without anybody writing; not before."""
    keys = await rig.keys.digests(f"{ACCOUNTS}/one")
    await rig.ask("DELETE", f"{ACCOUNTS}/one")
    later(rig, hours=47)
    await tidy(rig.surface)
    assert (await rig.ask("GET", DELETED)).status == 200
    later(rig, hours=49)
    await tidy(rig.surface)
    assert (await rig.ask("GET", DELETED)).status == 404
    assert keys
    assert await rig.keys.digests(f"{ACCOUNTS}/one") == {}


async def test_old_records_are_told_no_more_and_then_forgotten(rig: Rig) -> None:
    """After 90 days."""
    everything = ActivityQuery(subscription=SUBSCRIPTION)
    assert await rig.activity.read(everything)
    later(rig, days=91)
    listed = await rig.ask("GET", LOG, version="2015-04-01")
    assert listed.body == {"value": []}
    assert await rig.activity.read(everything)
    await tidy(rig.surface)
    assert await rig.activity.read(everything) == []


async def test_history_is_trimmed_by_scope(rig: Rig) -> None:
    """776 become 750, the oldest gone; 775 stay; one that runs stays however old it is."""

    def records(scope: str, count: int) -> list[Put]:
        return [
            Put(
                Resource(
                    id=f"{scope}/providers/{DEPLOYMENT_TYPE}/d{place:04}",
                    type=DEPLOYMENT_TYPE,
                    name=f"d{place:04}",
                    properties={
                        "provisioningState": "Running" if place == 0 else "Succeeded",
                        "timestamp": f"2026-01-01T00:{place // 60:02}:{place % 60:02}Z",
                    },
                )
            )
            for place in range(count)
        ]

    subscription = f"/subscriptions/{SUBSCRIPTION}"
    await rig.resources.commit([*records(GROUP, 776), *records(subscription, 775)])
    await tidy(rig.surface)
    left = [one.name for one in await rig.resources.list_under(GROUP, DEPLOYMENT_TYPE)]
    assert left == ["d0000", *(f"d{place:04}" for place in range(27, 776))]
    everywhere = await rig.resources.list_under(subscription, DEPLOYMENT_TYPE)
    assert len(everywhere) == 750 + 775


async def test_upkeep_goes_on_after_a_failure(rig: Rig) -> None:
    """A store that fails once is asked again; stopping ends it."""
    done, calls = asyncio.Event(), 0

    async def forget(before: str) -> int:
        nonlocal calls
        del before
        calls += 1
        if calls == 1:
            message = "the disk is full"
            raise OSError(message)
        done.set()
        return 0

    rig.activity.forget = forget
    upkeep = Upkeep(rig.surface, every_s=0.01)
    await upkeep.start()
    await asyncio.wait_for(done.wait(), timeout=30)
    await upkeep.stop()
    assert calls >= 2
    await Upkeep(rig.surface).stop()


async def statuses(rig: Rig, correlation_id: str) -> list[tuple[str, str]]:
    """What the log says of a deployment, oldest first."""
    query = ActivityQuery(subscription=SUBSCRIPTION, under=CHAT, correlation_id=correlation_id)
    events = await rig.activity.read(query)
    told = [(each.body["eventName"]["value"], each.body["status"]["value"]) for each in events]
    return told[::-1]


@pytest.mark.parametrize("problem", [None, JobProblem("OutOfMemory", "It does not fit.")])
async def test_the_log_tells_how_a_long_running_operation_ends(
    rig: Rig, problem: JobProblem | None
) -> None:
    """Begun, accepted, and ended by the job, under one correlation id."""
    correlated = {"x-ms-correlation-request-id": "what-one-asked"}
    made = await rig.ask("PUT", CHAT, DEPLOYMENT, headers=correlated)
    assert made.status == 201
    (job,) = await rig.jobs.running("")
    listed = await rig.ask("GET", OPERATIONS, version=VERSION)
    (running,) = listed.body["value"]
    assert (running["name"], running["status"]) == (job.id, "InProgress")
    followed = await rig.ask("GET", running["id"])
    assert followed.body == running
    begun = [("BeginRequest", "Started"), ("EndRequest", "Accepted")]
    assert await statuses(rig, job.correlation_id) == begun
    ended = job.succeeded() if problem is None else job.failed(problem)
    await rig.resources.commit([], [ended])
    last = ("EndRequest", ended.status)
    assert await statuses(rig, job.correlation_id) == [*begun, last]
    query = ActivityQuery(subscription=SUBSCRIPTION, under=CHAT, limit=2)
    newest, before = (each.body for each in await rig.activity.read(query))
    assert newest["caller"] == before["caller"]
    assert newest["eventDataId"] != before["eventDataId"]
    assert newest["level"] == ("Informational" if problem is None else "Error")
    assert ("OutOfMemory" in str(newest["properties"])) == (problem is not None)
    assert "requestbody" not in newest["properties"]
    empty = await rig.ask("GET", OPERATIONS, version=VERSION)
    assert empty.body == {"value": []}


async def test_a_job_that_nobody_asked_for_is_not_logged(rig: Rig) -> None:
    """Such as the one that brings a deployment up again after a restart."""
    await rig.ask("PUT", CHAT, DEPLOYMENT)
    (job,) = await rig.jobs.running("")
    await rig.resources.commit([], [job.succeeded()])
    query = ActivityQuery(subscription=SUBSCRIPTION)
    before = await rig.activity.read(query)
    fields: dict[str, Any] = {"id": "another", "correlation_id": ""}
    other = msgspec.structs.replace(job, **fields)
    await rig.resources.commit([], [other])
    await rig.resources.commit([], [other.succeeded()])
    assert await rig.activity.read(query) == before
