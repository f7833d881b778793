"""The process of an engine, and the channel into it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from linarite.domain.errors import LinariteError
from linarite.engines.openvino.channel import Channel
from linarite.engines.openvino.messages import OpenvinoLoaded, Order
from linarite.engines.worker_process.process import LogLine, Worker, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.domain.engine import InstanceSpec, Surroundings
    from linarite.engines.openvino.options import OpenvinoOptions

_LINE_MAX = 500
_CRASHES = ("openvino failed:", "terminate called", "Fatal Python error", "MemoryError")


def _while_loading(line: str) -> LogLine | None:
    """Whatever is said before any caller was heard."""
    return LogLine("info", line[:_LINE_MAX]) if line.strip() else None


def _while_serving(line: str) -> LogLine | None:
    """Only that it crashed: every other line may quote what callers sent."""
    found = next((crash for crash in _CRASHES if crash in line), None)
    return None if found is None else LogLine("error", found.rstrip(":"))


def _load_failure(_lines: list[str]) -> str:
    """The process reports the reason itself."""
    return ""


_WORKER = Worker(
    engine="openvino",
    title="OpenVINO",
    module="linarite.engines.openvino.worker",
    library="openvino_genai",
    loaded=OpenvinoLoaded,
    while_loading=_while_loading,
    while_serving=_while_serving,
    load_failure=_load_failure,
)


class EngineProcess:
    """One process that serves a model. Start it once, then end it once."""

    def __init__(
        self, spec: InstanceSpec, options: OpenvinoOptions, surroundings: Surroundings
    ) -> None:
        self._options = options
        self._threads = options.threads or surroundings.threads
        self._process = WorkerProcess(_WORKER, spec, options, surroundings.scratch)
        self.channel = Channel()

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """It serves, as far as is known."""
        return self._process.alive

    async def start(self, progress: Callable[[float, str], None]) -> OpenvinoLoaded:
        """Start the process, wait until it listens, and connect.

        Raises SetupError when it cannot work as configured, EngineFailed when it was ended.
        """
        order = Order(
            model_path=str(self._process.checked_model_path()),
            socket_path=str(self._process.socket_path),
            parent_pid=os.getpid(),
            threads=self._threads,
            options=self._options,
        )
        loaded = await self._process.start(order, dict(self._options.environment), progress)
        await self.channel.open(self._process.socket_path)
        self._process.watch_health(self._is_well)
        return loaded

    async def wait_exit(self) -> str:
        """Return why the process serves no more; never after `end` was called."""
        return await self._process.wait_exit()

    async def end(self) -> None:
        """End the process and free everything. Idempotent."""
        await self._process.end()
        self.channel.close()

    async def _is_well(self) -> bool:
        try:
            await self.channel.running(self._options.probe_deadline_s)
        except LinariteError:
            return False
        return True
