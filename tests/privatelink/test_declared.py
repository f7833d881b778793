"""The networks of settings in the store, from one start of the server to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.controls.network.options import NetworkSettings
from linarite.privatelink.declared import declare_networks
from linarite.privatelink.networks import networks_of
from tests.controlplane.private_links import ALPHA, VNET, made
from tests.controlplane.rig import Rig

if TYPE_CHECKING:
    from linarite.domain.resource import ResourceStore
    from linarite.privatelink.networks import Networks

pytestmark = pytest.mark.anyio

SUBNET = f"{VNET}/subnets/default"


async def started(resources: ResourceStore, *addresses: str) -> None:
    """What a start does, with `apps` of these addresses, or without it."""
    await declare_networks(resources, apps(*addresses), "local")


def apps(*addresses: str) -> Networks:
    """The network of settings."""
    said = {"apps": NetworkSettings(addresses=[*addresses])} if addresses else {}
    return networks_of(said, ALPHA)


async def test_a_network_comes_and_goes_with_settings() -> None:
    """Started twice, it is the same; nothing is left when settings have it no more."""
    resources = (await Rig().with_group()).resources
    await started(resources, "10.1.0.0/24")
    first = await resources.get(SUBNET)
    assert first is not None
    assert first.properties["addressPrefix"] == "10.1.0.0/24"
    await started(resources, "10.1.0.0/24")
    assert await resources.get(SUBNET) == first, "not written again"
    await started(resources)
    assert await resources.get(VNET) is None
    assert await resources.get(SUBNET) is None


async def test_a_network_shows_the_addresses_that_settings_have_now() -> None:
    """In the subnet, in the virtual network that holds it, and in its ranges."""
    resources = (await Rig().with_group()).resources
    await started(resources, "10.1.0.0/24")
    await started(resources, "10.2.0.0/24", "10.3.0.0/24")
    subnet, network = await resources.get(SUBNET), await resources.get(VNET)
    assert subnet is not None
    assert network is not None
    assert "addressPrefix" not in subnet.properties
    assert subnet.properties["addressPrefixes"] == ["10.2.0.0/24", "10.3.0.0/24"]
    assert network.properties["subnets"] == [{"name": "default", "properties": subnet.properties}]
    space = network.properties["addressSpace"]["addressPrefixes"]
    assert space == ["10.2.0.0/24", "10.3.0.0/24"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            VNET,
            {
                "location": "local",
                "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
            },
        ),
        (f"{VNET}/subnets/more", {"properties": {"addressPrefix": "10.1.0.128/25"}}),
    ],
)
async def test_what_somebody_has_written_since_stays(path: str, body: dict[str, Any]) -> None:
    """A template that took the network over, or put a subnet into it."""
    rig = await Rig(networks=apps("10.1.0.0/24")).with_group()
    await started(rig.resources, "10.1.0.0/24")
    await made(rig, path, body)
    await started(rig.resources)
    assert await rig.resources.get(path) is not None


async def test_a_subnet_that_somebody_has_written_is_not_changed() -> None:
    """Who is in the network, settings say all the same."""
    rig = await Rig().with_group()
    await started(rig.resources, "10.1.0.0/24")
    await made(rig, SUBNET, {"properties": {"addressPrefix": "10.1.0.0/25"}})
    await started(rig.resources, "10.2.0.0/24")
    subnet = await rig.resources.get(SUBNET)
    assert subnet is not None
    assert subnet.properties["addressPrefix"] == "10.1.0.0/25"
