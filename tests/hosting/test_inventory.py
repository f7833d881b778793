"""What there is to place deployments on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from linarite.domain.placement import (
    InstanceRecord,
    Placement,
    instance_resource,
    placement_resource,
)
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE, Resource
from linarite.hosting.inventory import Inventory
from linarite.hosting.models.manifest import Manifest, ModelCapabilities, write_manifest
from linarite.hosting.models.store import ModelStore
from linarite.hosting.options import EngineName, Hosting
from linarite.hosting.regions import Regions, RegionSettings
from linarite.storage.memory.resources import MemoryResourceStore

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


def put_model(folder: Path, name: str, *, embeddings: bool) -> None:
    """A model in the store, without its file."""
    (folder / name).mkdir(parents=True)
    write_manifest(
        folder / name,
        Manifest(
            name=name,
            version="1",
            file="weights.gguf",
            sha256="00",
            size_bytes=1_000,
            source="file:weights.gguf",
            licence="",
            added_at=datetime.now(UTC),
            architecture="qwen2",
            quantisation="Q4_K_M",
            capabilities=ModelCapabilities(embeddings=embeddings),
        ),
    )


@pytest.mark.parametrize(
    ("engine", "allowed"),
    [
        ("openvino", {"fast", "vectors"}),
        ("llamacpp", {"slow", "vectors"}),
        ("simulator", set[str]()),
    ],
)
async def test_an_instance_stays_while_its_model_would_get_the_same_engine(
    tmp_path: Path, engine: EngineName, allowed: set[str]
) -> None:
    """One that stands in for the engine of settings too; what has no model here does not."""
    put_model(tmp_path, "chat", embeddings=False)
    put_model(tmp_path, "vectors", embeddings=True)
    resources = MemoryResourceStore()
    for name, runs, model in (
        ("fast", "openvino", "chat"),
        ("slow", "llamacpp", "chat"),
        ("vectors", "llamacpp", "vectors"),
        ("lost", "upstream", "gone"),
    ):
        record = InstanceRecord(name, runs, model, "1", "", 4)
        await resources.put(instance_resource(record))
    inventory = Inventory(resources, ModelStore(tmp_path), [], Regions({}), Hosting(engine=engine))
    assert set(await inventory.records()) == allowed


@pytest.mark.parametrize(
    ("sku", "region", "zone", "misplaced"),
    [
        ("Standard", "west", "eu", False),
        ("Standard", "north", "eu", True),
        ("DataZoneStandard", "north", "eu", False),
        ("DataZoneStandard", "north", "us", True),
        ("GlobalStandard", "north", "us", False),
        ("Standard", "", "eu", False),  # no regions are declared any more
    ],
)
async def test_a_placement_that_settings_put_out_of_reach_is_found(
    tmp_path: Path, sku: str, region: str, zone: str, *, misplaced: bool
) -> None:
    """The deployment was placed in the west; its instance runs in that region by now."""
    resources = MemoryResourceStore()
    account_id = f"/subscriptions/s/resourceGroups/g/providers/{ACCOUNT_TYPE}/a"
    await resources.put(
        Resource(id=account_id, type=ACCOUNT_TYPE, name="a", location="west", properties={})
    )
    deployment_id = f"{account_id}/deployments/d"
    await resources.put(
        Resource(id=deployment_id, type=DEPLOYMENT_TYPE, name="d", sku={"name": sku}, properties={})
    )
    await resources.put(placement_resource(deployment_id, Placement("declared", "west")))
    await resources.put(placement_resource(f"{account_id}/deployments/gone", Placement("x", "")))
    declared = InstanceRecord("declared", "upstream", "m", "", region, 4, declared=True)
    settings = {"west": RegionSettings(data_zone="eu"), "north": RegionSettings(data_zone=zone)}
    regions = Regions(settings if region else {})
    inventory = Inventory(resources, ModelStore(tmp_path), [declared], regions, Hosting())
    found = [deployment.name for deployment in await inventory.misplaced()]
    assert found == (["d"] if misplaced else [])
