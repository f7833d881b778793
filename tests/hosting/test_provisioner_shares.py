"""Shares of an instance, when several deployments ask for them at the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.domain.facts import Model, Sku
from linarite.domain.placement import InstanceRecord, Measured, Wish, instance_resource
from linarite.hosting.host import Host
from linarite.hosting.inventory import Inventory
from linarite.hosting.models.store import ModelStore
from linarite.hosting.options import Hosting
from linarite.hosting.provisioner import HostProvisioner
from linarite.hosting.regions import PlaceRefused, Regions
from linarite.storage.memory.resources import MemoryResourceStore

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.instance import Instance

pytestmark = pytest.mark.anyio

MEASURED = Measured(tokens_per_second=100, parallel_requests=4)
RECORD = InstanceRecord("gpt-4o", "simulator", "gpt-4o", "1", "", 4, measured=MEASURED)


def wish(name: str) -> Wish:
    """Sixty of the hundred tokens per second."""
    return Wish(
        deployment_id=f"/accounts/{name}/deployments/Chat",
        location="local",
        model=Model("gpt-4o", "1"),
        sku=Sku("GlobalProvisionedManaged", 60),
    )


def never(_record: InstanceRecord) -> Instance:
    """Nothing is brought up here."""
    raise AssertionError


async def test_a_share_is_given_once(tmp_path: Path) -> None:
    """What a job was granted is taken before its end is kept, and free again when it fails."""
    resources = MemoryResourceStore()
    await resources.put(instance_resource(RECORD))
    inventory = Inventory(
        resources, ModelStore(tmp_path), [], Regions({}), Hosting(engine="simulator")
    )
    provisioner = HostProvisioner(resources, Host({}), inventory, never, 0.0)
    for each in ("one", "two"):
        assert (await provisioner.place(wish(each))).name == "gpt-4o"
    granted = await provisioner.measure(wish("one"), RECORD)
    assert granted.reserved == 60
    with pytest.raises(PlaceRefused, match="40 of them are not reserved"):
        await provisioner.measure(wish("two"), RECORD)
    assert await provisioner.measure(wish("one"), RECORD) == granted
    await provisioner.tidy(wish("one").deployment_id)
    assert (await provisioner.measure(wish("two"), RECORD)).reserved == 60
