"""Provisioned capacity: what workloads need, and what was measured and is not taken."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.placement import Measured, Placement, placement_resource
from linarite.domain.resource import DEPLOYMENT_TYPE, Resource
from tests.controlplane.rig import ACCOUNTS, SUBSCRIPTION, Rig

pytestmark = pytest.mark.anyio

COGNITIVE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"
MODEL = {"format": "OpenAI", "name": "gpt-4o", "version": "1"}


async def needed(rig: Rig, sku: str, calls_a_minute: int) -> Any:  # noqa: ANN401 - JSON
    """What a workload of 100 tokens a call is estimated to need."""
    each = {"avgPromptTokens": 60, "avgGeneratedTokens": 40}
    workload = {"requestPerMinute": calls_a_minute, "requestParameters": each}
    asked = {"model": MODEL, "skuName": sku, "workloads": [workload]}
    answer = await rig.ask("POST", f"{COGNITIVE}/calculateModelCapacity", asked)
    assert answer.status == 200, answer.body
    assert answer.body is not None
    return answer.body["estimatedCapacity"]


@pytest.mark.parametrize(
    "sku", ["ProvisionedManaged", "GlobalProvisionedManaged", "DataZoneProvisionedManaged"]
)
async def test_provisioned_units_are_tokens_per_second(sku: str) -> None:
    """By the setting that says what a unit reserves; others count tokens a minute."""
    rig = Rig()
    rig.surface.tokens_per_second_per_ptu = 25.0
    assert await needed(rig, sku, 60) == {"value": 4, "deployableValue": 4}
    assert await needed(rig, sku, 61) == {"value": 5, "deployableValue": 5}
    assert await needed(rig, sku, 0) == {"value": 0, "deployableValue": 1}
    assert await needed(rig, "Standard", 60) == {"value": 6, "deployableValue": 6}


async def test_what_is_left_was_measured() -> None:
    """The best instance's tokens per second, less what is reserved there; unmeasured: the quota."""
    rig = Rig()
    rig.surface.tokens_per_second_per_ptu = 10.0
    before = await available(rig)
    assert before["ProvisionedManaged"] == before["Standard"]
    await place(rig, "a", "one", tokens_per_second=100.0, reserved=0.0)
    await place(rig, "b", "one", tokens_per_second=100.0, reserved=35.0)
    await place(rig, "c", "two", tokens_per_second=42.0, reserved=0.0)
    await place(rig, "d", "three", tokens_per_second=9_000.0, reserved=0.0, version="2")
    after = await available(rig)
    assert after["ProvisionedManaged"] == after["GlobalProvisionedManaged"] == 6
    assert after["GlobalStandard"] == before["GlobalStandard"]
    await place(rig, "e", "one", tokens_per_second=100.0, reserved=65.0)
    assert (await available(rig))["ProvisionedManaged"] == 4


async def available(rig: Rig) -> dict[str, int]:
    """What the region's capacities say, by deployment type."""
    query = "modelformat=OpenAI&modelname=gpt-4o&modelversion=1"
    path = f"{COGNITIVE}/locations/local/modelCapacities?{query}"
    answer = await rig.ask("GET", path)
    assert answer.body is not None
    told = [each["properties"] for each in answer.body["value"]]
    return {each["skuName"]: each["availableCapacity"] for each in told}


async def place(
    rig: Rig,
    name: str,
    instance: str,
    *,
    tokens_per_second: float,
    reserved: float,
    version: str = "1",
) -> None:
    """A deployment that serves, as hosting keeps it."""
    deployment = Resource(
        id=f"{ACCOUNTS}/a/deployments/{name}",
        type=DEPLOYMENT_TYPE,
        name=name,
        properties={"model": MODEL | {"version": version}},
    )
    await rig.resources.put(deployment)
    measured = Measured(tokens_per_second, parallel_requests=4)
    placement = Placement(instance, "", reserved=reserved, measured=measured)
    await rig.resources.put(placement_resource(deployment.id, placement))
