"""Instances that do not come up, and those that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.domain.placement import (
    InstanceRecord,
    Placement,
    instance_resource,
    placement_resource,
)
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.inventory import Inventory
from linarite.hosting.models.store import ModelStore
from linarite.hosting.options import Hosting, InstanceSettings
from linarite.hosting.provisioner import HostProvisioner, reason_of
from linarite.hosting.regions import Regions
from linarite.storage.memory.resources import MemoryResourceStore
from tests.hosting.test_inventory import put_model

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.domain.engine import Engine

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/models/of/ours/small.gguf", None])
async def test_the_folder_of_a_model_is_not_told(path: str | None) -> None:
    """The engine's words are, with the name of its file."""

    async def build(spec: InstanceSpec) -> Engine:
        raise SetupError(f"cannot load {spec.model_path}: {spec.model_path} is cut short")

    spec = InstanceSpec(name="one", engine="scripted", model="m", model_path=path)
    instance = Instance(spec, build, InstanceSettings())
    assert reason_of(instance) == "NotStarted"
    with capture_logs():
        instance.start()
        await instance.settled()
        await instance.stop(0)
    name = "small.gguf" if path else "None"
    assert reason_of(instance) == f"cannot load {name}: {name} is cut short"


@pytest.mark.parametrize(("accounts", "keeps"), [("a", True), ("ab", False)])
async def test_an_instance_of_several_accounts_comes_back_without_its_prompts(
    tmp_path: Path, accounts: str, *, keeps: bool
) -> None:
    """Whatever was kept about it when it was made for one of them."""
    put_model(tmp_path, "chat", embeddings=False)
    resources = MemoryResourceStore()
    kept = InstanceRecord("chat", "openvino", "chat", "1", "", 4, keeps_prompts=True)
    await resources.put(instance_resource(kept))
    for account in accounts:
        deployment_id = f"/accounts/{account}/deployments/d"
        await resources.put(placement_resource(deployment_id, Placement("chat", "")))
    hosting = Hosting(engine="openvino")
    made: list[InstanceRecord] = []

    async def build(_spec: InstanceSpec) -> Engine:
        raise SetupError("not in this test")

    def make(record: InstanceRecord) -> Instance:
        made.append(record)
        spec = InstanceSpec(name=record.name, engine=record.engine, model=record.model)
        return Instance(spec, build, InstanceSettings())

    inventory = Inventory(resources, ModelStore(tmp_path), [], Regions({}), hosting)
    host = Host({})
    with capture_logs():
        await HostProvisioner(resources, host, inventory, make, 0).restore()
        await host.stop(0)
    assert [record.keeps_prompts for record in made] == [keeps]
