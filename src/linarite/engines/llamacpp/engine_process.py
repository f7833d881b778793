"""The process of an engine, and the connections into it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Literal

import msgspec

from linarite.domain.errors import EngineFailed
from linarite.engines.http_client import HttpClientError
from linarite.engines.llamacpp.engine_log import load_failure, while_loading, while_serving
from linarite.engines.llamacpp.socket_client import EngineRefusal, SocketClient
from linarite.engines.llamacpp.worker_messages import LlamacppLoaded, Order
from linarite.engines.worker_process.process import Worker, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.engine import InstanceSpec, Surroundings
    from linarite.engines.llamacpp.options import LlamacppOptions

_WORKER = Worker(
    engine="llamacpp",
    title="llama.cpp",
    module="linarite.engines.llamacpp.worker",
    library="xllamacpp",
    loaded=LlamacppLoaded,
    while_loading=while_loading,
    while_serving=while_serving,
    load_failure=load_failure,
)
_SPARE_CONNECTIONS = 16
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


class EngineProcess:
    """One process that serves a model on a unix socket. Start it once, then end it once."""

    def __init__(
        self, spec: InstanceSpec, options: LlamacppOptions, surroundings: Surroundings
    ) -> None:
        self._options = options
        self._threads = options.threads or surroundings.threads
        self._process = WorkerProcess(_WORKER, spec, options, surroundings.scratch)
        connections_max = 4 * options.parallel_requests + _SPARE_CONNECTIONS
        self._http_threads = connections_max + _SPARE_CONNECTIONS
        socket_path = str(self._process.socket_path)
        self.client = SocketClient(socket_path, options, connections_max)
        # Probes must not wait behind requests.
        self._probes = SocketClient(socket_path, options, connections_max=2)

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """It serves, as far as is known."""
        return self._process.alive

    async def start(self, progress: Callable[[float, str], None]) -> LlamacppLoaded:
        """Start the process and wait until it listens.

        Raises SetupError when it cannot work as configured, EngineFailed when it was ended.
        """
        order = Order(
            model_path=str(self._process.checked_model_path()),
            socket_path=str(self._process.socket_path),
            parent_pid=os.getpid(),
            threads=self._threads,
            http_threads=self._http_threads,
            options=self._options,
        )
        environment = {**_WAITING[self._options.wait_policy], **self._options.environment}
        loaded = await self._process.start(order, environment, progress)
        self._process.watch_health(self._is_well)
        return loaded

    async def wait_exit(self) -> str:
        """Return why the process serves no more; never after `end` was called."""
        return await self._process.wait_exit()

    async def end(self) -> None:
        """End the process and free everything. Idempotent."""
        await self._process.end()
        await asyncio.gather(self.client.close(), self._probes.close())

    async def _is_well(self) -> bool:
        try:
            await self._probes.look("/health", Health, deadline_s=self._options.probe_deadline_s)
        except (HttpClientError, EngineRefusal, EngineFailed):
            return False
        return True
