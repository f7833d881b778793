"""All instances together: found by name, entered and left."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.facts import Deployment, Model, Sku
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings
from tests.dataplane.rig import ScriptedEngine

pytestmark = pytest.mark.anyio


async def build(spec: InstanceSpec) -> ScriptedEngine:
    """An engine that is ready at once."""
    assert spec.engine == "scripted"
    return ScriptedEngine()


def host_of(*names: str) -> Host:
    """Instances that are not started."""
    return Host(
        {
            name: Instance(
                InstanceSpec(name=name, engine="scripted", model="m"), build, InstanceSettings()
            )
            for name in names
        }
    )


def deployment(name: str, instance: str) -> Deployment:
    """A deployment on an instance."""
    return Deployment(name=name, model=Model(name="m", version="1"), sku=Sku(), instance=instance)


async def test_a_place_is_given_back_however_the_request_ends() -> None:
    """Normally, with an error, or cancelled."""
    with capture_logs():
        host = host_of("one")
        gate = host.instances()[0].gate
        async with host.slot("one") as slot:
            assert slot.model == "m"
            assert gate.running == 1
        with pytest.raises(ValueError, match="mine"):
            async with host.slot("one"):
                raise ValueError("mine")

        async def hold() -> None:
            async with host.slot("one"):
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        while gate.running == 0:  # noqa: ASYNC110 - the gate tells nobody
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert gate.running == 0
        await host.stop(0)


async def test_a_deployment_without_its_instance_is_unavailable() -> None:
    """Refused with a long wait, and shown as failed."""
    host = host_of("one")
    with pytest.raises(ServiceUnavailable, match="no instance serves this deployment") as refused:
        host.slot("absent")
    assert refused.value.headers["retry-after"] == "30"
    assert host.capabilities_of("absent") is None
    (shown,) = host.serving([deployment("d", "absent")])
    assert (shown.state, shown.detail) == ("Failed", "no instance of that name")


async def test_deployments_share_the_state_of_their_instance() -> None:
    """Before it has started, and once it has."""
    with capture_logs():
        host = host_of("one", "two")
        both = [deployment("a", "one"), deployment("b", "one"), deployment("c", "two")]
        assert [item.state for item in host.serving(both)] == ["NotStarted"] * 3
        host.start(["one"])
        await host.instances()[0].settled()
        shown = host.serving(both)
        assert [item.state for item in shown] == ["Ready", "Ready", "NotStarted"]
        assert shown[0].capabilities is not None
        assert shown[0].capabilities == host.capabilities_of("one")
        assert shown[2].capabilities is None
        await host.stop(0)
        assert [item.state for item in host.serving(both)] == ["Stopped"] * 3


async def test_instances_come_and_go_while_requests_run() -> None:
    """A replaced one finishes what it has; a removed one lingers, then is handed out no more."""
    with capture_logs():
        host = host_of("one")
        (old,) = host.instances()
        async with host.slot("one"):
            (fresh,) = host_of("one").instances()
            host.put(fresh, 5)
            assert host.find("one") is fresh
            await asyncio.sleep(0.05)
            assert old.state == "Ready"
        async with host.slot("one"):
            assert (old.gate.running, fresh.gate.running) == (0, 1)
        await asyncio.sleep(0.05)
        assert old.state == "Stopped"
        host.remove("one", 5, 0.1)
        async with host.slot("one"):
            await asyncio.sleep(0.15)
            assert host.find("one") is None
            assert fresh.state == "Ready"
        await asyncio.sleep(0.05)
        assert fresh.state == "Stopped"
        host.remove("absent", 5)
        await host.stop(0)


async def test_one_that_was_to_go_may_be_replaced_meanwhile() -> None:
    """Lingering takes away the instance that it was asked to, not its successor."""
    with capture_logs():
        host = host_of("one")
        host.remove("one", 5, 0.05)
        (fresh,) = host_of("one").instances()
        host.put(fresh, 5)
        await asyncio.sleep(0.1)
        assert host.find("one") is fresh
        await host.stop(0)


async def test_stopping_the_host_stops_those_that_retire() -> None:
    """Their requests get the same grace as all."""
    with capture_logs():
        host = host_of("one")
        (old,) = host.instances()
        async with host.slot("one"):
            host.remove("one", 60)
            await asyncio.sleep(0.02)
            assert host.instances() == []
            await host.stop(0.01)
            assert old.state == "Stopped"
