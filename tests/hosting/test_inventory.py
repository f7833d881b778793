"""What there is to place deployments on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.domain.facts import Model, Sku
from linarite.domain.placement import (
    InstanceRecord,
    Placement,
    Wish,
    instance_resource,
    placement_resource,
)
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE, Resource
from linarite.hosting.inventory import Inventory
from linarite.hosting.models.manifest import Manifest, ModelCapabilities, write_manifest
from linarite.hosting.models.store import ModelStore
from linarite.hosting.options import EngineName, Hosting
from linarite.hosting.regions import PlaceRefused, Regions, RegionSettings
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


async def test_an_instance_whose_engine_was_asked_for_stays(tmp_path: Path) -> None:
    """Whatever the settings say about others."""
    put_model(tmp_path, "chat", embeddings=False)
    resources = MemoryResourceStore()
    record = InstanceRecord("fast", "openvino", "chat", "1", "", 4, wished=True)
    await resources.put(instance_resource(record))
    inventory = Inventory(resources, ModelStore(tmp_path), [], Regions({}), Hosting())
    assert set(await inventory.records()) == {"fast"}


async def test_an_engine_that_cannot_run_the_model_is_refused(tmp_path: Path) -> None:
    """Where it was asked for; where settings name it, another one stands in."""
    put_model(tmp_path, "vectors", embeddings=True)
    inventory = Inventory(
        MemoryResourceStore(), ModelStore(tmp_path), [], Regions({}), Hosting(engine="openvino")
    )
    wish = Wish("/a/deployments/d", "here", Model("vectors", "1"), Sku())
    room = await inventory.room(wish, {})
    assert room is not None
    assert room.engine == "llamacpp"
    with pytest.raises(PlaceRefused, match="can't run vectors") as refused:
        await inventory.room(msgspec.structs.replace(wish, engine="openvino"), {})
    assert refused.value.code == "InvalidResourceProperties"


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
