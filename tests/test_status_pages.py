"""`/healthz`, `/readyz` and `/metrics` of a running server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.controls.audit.options import Audit
from linarite.controls.audit.signing import AuditKey
from linarite.controls.audit.trail import Trail
from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.engine import InstanceSpec
from linarite.domain.errors import SetupError
from linarite.hosting.host import Host
from linarite.hosting.instance import Instance
from linarite.hosting.options import InstanceSettings
from linarite.metric_parts import MetricParts
from linarite.setting_tree import Settings
from linarite.status_pages import StatusPages
from linarite.storage.memory.audit import MemoryAuditStore
from linarite.storage.sqlite.requests import open_request_ledger
from linarite.web.edge import Edge
from linarite.web.listener import Listener
from linarite.web.options import Server
from tests.dataplane.rig import Rig, ScriptedEngine, rig
from tests.web.wire import Answer, exchange, get_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

DENIED = b'{"error":{"code":"401","message": "Access denied'


@asynccontextmanager
async def pages(
    folder: Path, running: Rig, instance: Instance, *, guarded: bool = False
) -> AsyncIterator[Listener]:
    """A listener with the pages of a server that has one instance."""
    ledger = open_request_ledger(folder)
    host = Host({"one": instance})
    dialer = EgressDialer(EgressPolicy())
    trail = Trail(MemoryAuditStore(), AuditKey.new(), Audit())
    status = StatusPages(
        host, running.facts, ledger, MetricParts(Settings(), folder), dialer, trail
    )
    recognise = running.facts.recogniser(running.dataplane.surface.digest) if guarded else None
    listener = Listener(Edge(status.by_path(recognise), running.dataplane), Server(port=0))
    await listener.open()
    try:
        yield listener
    finally:
        await listener.close(0)
        await host.stop(0)
        await ledger.close()


async def get(listener: Listener, path: str, key: str | None = None) -> Answer:
    """A page."""
    headers = [("host", "x")] + ([("api-key", key)] if key is not None else [])
    return await exchange(listener.port, get_lines("GET", path, headers), method="GET")


def instance_of(engine: ScriptedEngine | SetupError) -> Instance:
    """An instance whose engine this is, or which can't be built for this reason."""

    async def build(spec: InstanceSpec) -> ScriptedEngine:
        del spec
        if isinstance(engine, SetupError):
            raise engine
        return engine

    spec = InstanceSpec(name="one", engine="scripted", model="gpt-4o")
    return Instance(spec, build, InstanceSettings())


async def test_readiness_tells_what_is_not_ready(tmp_path: Path) -> None:
    """Ready before the first use and when up; not ready while loading or failed, and why."""
    with capture_logs():
        go_on = asyncio.Event()

        class Loading(ScriptedEngine):
            async def start(self, progress):  # noqa: ANN001, ANN202 - as the engine's
                progress(0.5, "reading weights")
                await go_on.wait()
                return self.able

        instance = instance_of(Loading())
        async with rig() as running, pages(tmp_path, running, instance) as listener:
            assert (await get(listener, "/healthz")).body == b"ok\n"
            first = await get(listener, "/readyz")
            assert (first.status, first.json()["ready"]) == (200, True)
            instance.start()
            while instance.detail != "reading weights (50%)":  # noqa: ASYNC110 - tells nobody
                await asyncio.sleep(0)
            loading = await get(listener, "/readyz")
            assert loading.status == 503
            assert loading.json() == {
                "ready": False,
                "audit": {"writable": True, "detail": "", "backlog": 0, "lost": 0},
                "deployments": [
                    {
                        "name": "gpt",
                        "model": "gpt-4o",
                        "state": "Starting",
                        "detail": "reading weights (50%)",
                    }
                ],
            }
            assert (await get(listener, "/healthz")).status == 200
            go_on.set()
            await instance.settled()
            assert (await get(listener, "/readyz")).status == 200


async def test_a_failed_instance_is_not_ready(tmp_path: Path) -> None:
    """Its reason is for who runs the server."""
    with capture_logs():
        instance = instance_of(SetupError("Set instances.one.model."))
        async with rig() as running, pages(tmp_path, running, instance) as listener:
            instance.start()
            await instance.settled()
            answer = await get(listener, "/readyz")
            assert answer.status == 503
            (shown,) = answer.json()["deployments"]
            assert (shown["state"], shown["detail"]) == ("Failed", "Set instances.one.model.")


async def test_metrics_show_the_instance(tmp_path: Path) -> None:
    """In Prometheus' text form."""
    with capture_logs():
        instance = instance_of(ScriptedEngine())
        async with rig() as running, pages(tmp_path, running, instance) as listener:
            answer = await get(listener, "/metrics")
            assert answer.status == 200
            assert (answer.header("content-type") or "").startswith("text/plain; version=0.0.4")
            assert b'"one"' in answer.body


async def test_guarded_pages_want_a_key(tmp_path: Path) -> None:
    """All but `/healthz`; a key of any account opens them, and a refusal tells nothing."""
    with capture_logs():
        instance = instance_of(ScriptedEngine())
        async with (
            rig(accounts=2) as running,
            pages(tmp_path, running, instance, guarded=True) as listener,
        ):
            assert (await get(listener, "/healthz")).status == 200
            for path in ("/readyz", "/metrics"):
                for key in (None, "", "wrong", "x" * 10_000):
                    answer = await get(listener, path, key)
                    assert answer.status == 401
                    assert answer.body.startswith(DENIED)
                for key in (running.keys.key1, running.other_keys.key2):
                    assert (await get(listener, path, key)).status == 200
