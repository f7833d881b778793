"""The process of an engine, and the connections into it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.domain.errors import EngineFailed
from linarite.engines.http_client import HttpClientError
from linarite.engines.llamacpp.engine_log import load_failure, while_loading, while_serving
from linarite.engines.llamacpp.options import LlamacppOptions
from linarite.engines.llamacpp.socket_client import EngineRefusal, SocketClient
from linarite.engines.llamacpp.worker_messages import LlamacppLoaded
from linarite.engines.worker_process.process import Worker, WorkerProcess

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec, Surroundings

_WORKER = Worker(
    engine="llamacpp",
    title="llama.cpp",
    module="linarite.engines.llamacpp.worker",
    package="xllamacpp",
    loaded=LlamacppLoaded,
    while_loading=while_loading,
    while_serving=while_serving,
    load_failure=load_failure,
)
# Iterations an OpenMP thread spins before it sleeps: GNU's default spins for milliseconds, which
# on a shared processor takes the time from those one waits for.
_WAITING = {
    "active": {"OMP_WAIT_POLICY": "active"},
    "balanced": {"GOMP_SPINCOUNT": "1000"},
    "passive": {"OMP_WAIT_POLICY": "passive"},
}


class Health(msgspec.Struct, frozen=True):
    """llama.cpp's answer to a probe."""

    status: Literal["ok"]


class EngineProcess(WorkerProcess[LlamacppOptions, LlamacppLoaded]):
    """The process, with connections for requests and others for probes."""

    def __init__(
        self, spec: InstanceSpec, options: LlamacppOptions, surroundings: Surroundings
    ) -> None:
        super().__init__(_WORKER, spec, options, surroundings)
        socket_path = str(self.socket_path)
        self.client = SocketClient(socket_path, options, options.connections_max)
        # Probes must not wait behind requests.
        self._probes = SocketClient(socket_path, options, connections_max=2)

    def engine_environment(self) -> dict[str, str]:
        """How threads wait for each other."""
        return _WAITING[self._options.wait_policy]

    async def end(self) -> None:
        """End the process and free everything. Idempotent."""
        await super().end()
        await asyncio.gather(self.client.close(), self._probes.close())

    async def is_well(self) -> bool:
        """Its server says so."""
        try:
            await self._probes.look("/health", Health, deadline_s=self._options.probe_deadline_s)
        except (HttpClientError, EngineRefusal, EngineFailed):
            return False
        return True
