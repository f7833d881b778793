"""The process of an engine, and the channel into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import LinariteError
from linarite.engines.openvino.channel import Channel
from linarite.engines.openvino.messages import OpenvinoLoaded
from linarite.engines.openvino.options import OpenvinoOptions
from linarite.engines.worker_process.process import LogLine, Worker, WorkerProcess

if TYPE_CHECKING:
    from linarite.domain.engine import InstanceSpec, Surroundings

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
    package="openvino_genai",
    loaded=OpenvinoLoaded,
    while_loading=_while_loading,
    while_serving=_while_serving,
    load_failure=_load_failure,
)


class EngineProcess(WorkerProcess[OpenvinoOptions, OpenvinoLoaded]):
    """The process, with one channel for all requests."""

    def __init__(
        self, spec: InstanceSpec, options: OpenvinoOptions, surroundings: Surroundings
    ) -> None:
        super().__init__(_WORKER, spec, options, surroundings)
        self.channel = Channel()

    async def connect(self) -> None:
        """Open the channel."""
        await self.channel.open(self.socket_path)

    async def end(self) -> None:
        """End the process and free everything. Idempotent."""
        await super().end()
        self.channel.close()

    async def is_well(self) -> bool:
        """Its thread comes by between two steps."""
        try:
            await self.channel.running(self._options.probe_deadline_s)
        except LinariteError:
            return False
        return True
