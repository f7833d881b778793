"""Service tiers and spillover of deployments, as the control plane admits them."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.calibration import SECONDS_DEFAULT, Batch, Calibration, calibration_resource
from linarite.domain.jobs import CALIBRATE_DEPLOYMENT, CALIBRATION_SECONDS
from tests.controlplane.rig import ACCOUNTS, SUBSCRIPTION, VERSION, Rig

pytestmark = pytest.mark.anyio

PTU = "GlobalProvisionedManaged"
HOSTING = f"/subscriptions/{SUBSCRIPTION}/providers/Linarite.Hosting"
DEPLOYMENTS = f"{ACCOUNTS}/one/deployments"


async def account() -> Rig:
    """An account `one` with a deployment `std` of the type Global Standard."""
    rig = await Rig().with_group()
    body = {"kind": "OpenAI", "sku": {"name": "S0"}, "location": "local", "properties": {}}
    made = await rig.ask("PUT", f"{ACCOUNTS}/one", body)
    assert made.status == 201, made.body
    await deploy(rig, "std", "GlobalStandard")
    return rig


async def deploy(rig: Rig, name: str, sku: str, **properties: Any) -> Any:  # noqa: ANN401 - JSON
    """What the control plane answers; work that it has begun is over."""
    body = {
        "sku": {"name": sku, "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"}}
        | properties,
    }
    answer = await rig.ask("PUT", f"{DEPLOYMENTS}/{name}", body)
    await rig.end_jobs()
    return answer


@pytest.mark.parametrize(
    ("sku", "target", "code"),
    [
        (PTU, "STD", None),
        (PTU, "nowhere", "SpilloverDeploymentNotFound"),
        (PTU, "ptu", "SpilloverDeploymentNotFound"),
        ("DataZoneProvisionedManaged", "std", "InvalidSpilloverDeployment"),
        ("ProvisionedManaged", "std", "InvalidSpilloverDeployment"),
        ("GlobalStandard", "std", "InvalidResourceProperties"),
    ],
)
async def test_where_to_it_may_spill_over(sku: str, target: str, code: str | None) -> None:
    """To a standard deployment of the account that reaches exactly as far."""
    rig = await account()
    answer = await deploy(rig, "ptu", sku, spilloverDeploymentName=target)
    if code is None:
        assert answer.status == 201
        assert answer.body["properties"]["spilloverDeploymentName"] == target
        return
    assert answer.status == 400
    assert code in str(answer.body)
    assert "properties.spilloverDeploymentName" in str(answer.body)


async def test_not_to_itself() -> None:
    """Once it is there it would be found."""
    rig = await account()
    await deploy(rig, "ptu", PTU)
    answer = await deploy(rig, "ptu", PTU, spilloverDeploymentName="ptu")
    assert (answer.status, "InvalidSpilloverDeployment" in str(answer.body)) == (400, True)


@pytest.mark.parametrize(
    ("sku", "status"),
    [("GlobalStandard", 201), ("DataZoneStandard", 201), ("Standard", 400), (PTU, 400)],
)
async def test_priority_is_for_types_that_have_it(sku: str, status: int) -> None:
    """And every deployment may say Default."""
    rig = await account()
    assert (await deploy(rig, "fast", sku, serviceTier="Priority")).status == status
    assert (await deploy(rig, "plain", sku, serviceTier="Default")).status == 201
    wrong = await deploy(rig, "flexible", sku, serviceTier="Flex")
    assert wrong.status == 400


async def test_a_calibration_is_a_job() -> None:
    """Followed like any other; one at a time under an account; its length is bounded."""
    rig = await account()
    path = f"{DEPLOYMENTS}/std/providers/Linarite.Hosting/calibrate"
    begun = await rig.ask("POST", path, {"seconds": 5})
    assert begun.status == 202
    assert "/operationStatuses/" in begun.headers["azure-asyncoperation"]
    (job,) = await rig.jobs.running("")
    assert (job.kind, job.arguments) == (CALIBRATE_DEPLOYMENT, {CALIBRATION_SECONDS: 5.0})
    again = await rig.ask("POST", path, {"seconds": 5})
    assert (again.status, "RequestConflict" in str(again.body)) == (409, True)
    for seconds in (0, 601, "long"):
        refused = await rig.ask("POST", path, {"seconds": seconds})
        assert refused.status == 400
    absent = await rig.ask("POST", path.replace("/std/", "/none/"), {})
    assert absent.status == 404


async def test_a_calibration_of_no_told_length_has_the_usual_one() -> None:
    """`null` says no more than nothing."""
    rig = await account()
    path = f"{DEPLOYMENTS}/std/providers/Linarite.Hosting/calibrate"
    begun = await rig.ask("POST", path, {"seconds": None})
    assert begun.status == 202, begun.body
    (job,) = await rig.jobs.running("")
    assert job.arguments == {CALIBRATION_SECONDS: SECONDS_DEFAULT}


async def test_what_was_found_is_listed_and_used() -> None:
    """A unit of 480 tokens of prompts a minute, of which one of output counts as eight."""
    rig = Rig()
    found = Calibration(
        model="gpt-4o",
        version="1",
        engine="llamacpp",
        hardware="A processor, 2 CPUs",
        instance="gpt-4o",
        prompt_tokens_per_second=960.0,
        batches=(Batch(1, 50.0), Batch(4, 120.0)),
        at="2026-01-01T00:00:00Z",
    )
    await rig.resources.put(calibration_resource(found))
    listed = await rig.ask("GET", f"{HOSTING}/calibrations", version=VERSION)
    assert listed.status == 200, listed.body
    assert listed.body is not None
    (shown,) = listed.body["value"]
    said = shown["properties"]
    assert (said["outputWeight"], said["tokensPerMinutePerUnit"], said["units"]) == (8.0, 480, 120)
    assert said["batches"][0] == {"parallelRequests": 1, "tokensPerSecond": 50.0}
    workload = {
        "requestPerMinute": 60,
        "requestParameters": {"avgPromptTokens": 800, "avgGeneratedTokens": 100},
    }
    asked = {
        "model": {"format": "OpenAI", "name": "gpt-4o", "version": "1"},
        "skuName": PTU,
        "workloads": [workload],
    }
    provider = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
    sized = await rig.ask("POST", f"{provider}/calculateModelCapacity", asked)
    assert sized.body is not None
    assert sized.body["estimatedCapacity"]["value"] == 60 * (800 + 8 * 100) / 480
