"""The life of an engine around its process, and the way that every request takes into it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from linarite.domain.engine import EngineUse
from linarite.domain.errors import OperationNotSupported, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from linarite.domain.engine import Capabilities, InstanceSpec
    from linarite.engines.worker_process.process import WorkerProcess


class Able(Protocol):
    """A loaded model."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...


ModelT = TypeVar("ModelT", bound=Able)


class WorkerEngine(ABC, Generic[ModelT]):
    """Starts a process, admits and counts requests to it, and stops it.

    Of the port `linarite.domain.engine.Engine` an engine adds what answers.
    """

    def __init__(self, spec: InstanceSpec, worker: WorkerProcess[Any, Any]) -> None:
        self._spec = spec
        self._worker = worker
        self._model: ModelT | None = None
        self._stopping = False
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pid(self) -> int | None:
        """The id of the engine's process, once there is one."""
        return self._worker.pid

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Start the process, load the model and find out what it can do."""
        try:
            self._model = await self._load(progress)
        except BaseException:
            await self._worker.end()
            raise
        progress(1.0, "ready")
        return self._model.capabilities

    @abstractmethod
    async def _load(self, progress: Callable[[float, str], None]) -> ModelT:
        """Start the process and look at what it has loaded. Who calls ends it on failure."""

    async def wait_exit(self) -> str:
        """Wait until the process has ended, or was killed for not answering probes."""
        return await self._worker.wait_exit()

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, give running ones their time, then end the process."""
        self._stopping = True
        if self._worker.alive:
            try:
                async with asyncio.timeout(grace_s):
                    await self._idle.wait()
            except TimeoutError:
                pass
        await self._worker.end()

    async def use(self) -> EngineUse:
        """Its slots; an engine whose process tells more says that, too."""
        if self._model is None:
            raise ServiceUnavailable("the engine has no model yet")
        slots = self._model.capabilities.parallel_requests
        return EngineUse(slots=slots, slots_busy=min(self._running, slots))

    @contextmanager
    def _admitted(self, verb: str) -> Generator[ModelT]:
        """Every request runs inside of this: admitted and counted."""
        model = self._admit(verb)
        self._running += 1
        self._idle.clear()
        try:
            yield model
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()

    def _admit(self, verb: str) -> ModelT:
        if self._model is None or self._stopping or not self._worker.alive:
            raise ServiceUnavailable("the engine of this deployment is not running")
        able = self._model.capabilities
        offered = {
            "chatCompletion": able.chat_completion,
            "completion": able.completion,
            "embeddings": able.embeddings,
        }
        if not offered[verb]:
            raise OperationNotSupported(verb, self._spec.model)
        return self._model
