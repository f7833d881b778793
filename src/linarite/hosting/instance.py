"""One instance: an engine that is started, watched, started again when it dies, and drained."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from linarite.domain.engine import Slot
from linarite.domain.errors import LinariteError, ServiceUnavailable, SetupError
from linarite.domain.service_tier import Rank
from linarite.hosting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.domain.engine import Capabilities, Engine, InstanceSpec
    from linarite.hosting.fair_queue import Waiter
    from linarite.hosting.options import InstanceSettings

log = structlog.get_logger("linarite.hosting")

NOT_STARTED = "NotStarted"
STARTING = "Starting"
READY = "Ready"
BACKING_OFF = "BackingOff"
FAILED = "Failed"
STOPPED = "Stopped"

BACK_OFF_FIRST_S = 0.5
BACK_OFF_MAX_S = 30.0
DOUBLINGS_MAX = 10
RETIRE_LOOK_S = 0.02
HEALTHY_AFTER_S = 60.0
"""an engine that lived this long starts again with the shortest back-off"""


class Instance:
    """A supervised engine. States: NotStarted → Starting → Ready → BackingOff → Starting ….

    Failed means that it could not start as configured; it is tried again with growing pauses.
    """

    def __init__(
        self,
        spec: InstanceSpec,
        build: Callable[[InstanceSpec], Awaitable[Engine]],
        policy: InstanceSettings,
    ) -> None:
        """Nothing runs yet: `start` begins, or the first request does."""
        self.spec = spec
        self.state = NOT_STARTED
        self.detail = ""
        self.loaded_share = 0.0
        """how far the model is loaded, between 0 and 1"""
        self.capabilities: Capabilities | None = None
        self.gate = Gate(1, policy.queue_max, policy.queue_wait_s)
        self._build = build
        self._policy = policy
        self._slot: Slot | None = None
        self._ready = asyncio.Event()
        self._supervision: asyncio.Task[None] | None = None
        self._retry_at = 0.0
        self._awaiting_start = 0
        self._wanted = asyncio.Event()
        """cleared while the model is unloaded because nobody asked for it"""
        self._wanted.set()

    @property
    def engine(self) -> Engine | None:
        """What runs, while it can serve."""
        return self._slot.engine if self._slot is not None else None

    def start(self) -> None:
        """Begin to supervise, or load again what was unloaded; idempotent."""
        if self.state == STOPPED:
            return
        if self._supervision is None:
            self._supervision = asyncio.create_task(
                self._supervise(), name=f"instance {self.spec.name}"
            )
        elif not self._wanted.is_set():
            self._wanted.set()
            self._become(STARTING, "loading again")

    async def stop(self, grace_s: float) -> None:
        """Take no more requests, let running ones finish for `grace_s`, free the engine."""
        self.state = STOPPED
        self._slot = None
        self._wake_waiting()
        await self.gate.until_empty(grace_s)
        if self._supervision is not None:
            self._supervision.cancel()
            await asyncio.gather(self._supervision, return_exceptions=True)

    async def retire(self, grace_s: float) -> None:
        """Serve those who are inside or wait, for at most `grace_s`, then stop.

        For an instance that is handed out no more.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self._awaiting_start:  # noqa: ASYNC110 - seldom, and nobody tells
                    await asyncio.sleep(RETIRE_LOOK_S)
                await self.gate.until_empty(grace_s)
        await self.stop(0)

    async def settled(self) -> None:
        """Return once a start that was begun has succeeded or failed."""
        begun = self._supervision is not None and self._wanted.is_set()
        if self.state == STARTING or (self.state == NOT_STARTED and begun):
            await self._ready.wait()

    def take(self, rank: Rank = Rank.DEFAULT) -> Slot | None:
        """A place and the engine, if that needs no waiting; pair with `leave`."""
        slot = self._slot
        return slot if slot is not None and self.gate.try_enter(rank) else None

    async def enter(
        self, rank: Rank = Rank.DEFAULT, account: str = "", tokens: int = 1
    ) -> tuple[Slot, Waiter | None]:
        """The engine and a place; pair with `leave`. Raises as `Gate.enter` does."""
        if self._slot is None:
            await self._until_ready()
        waiter = await self.gate.enter(rank, account, tokens)
        slot = self._slot
        if slot is None:
            self.gate.leave(rank, waiter, 0)
            raise self._unavailable()
        return slot, waiter

    def leave(
        self, rank: Rank = Rank.DEFAULT, waiter: Waiter | None = None, used: int | None = None
    ) -> None:
        """Give the place back, as `Gate.leave` takes it."""
        self.gate.leave(rank, waiter, used)

    async def _until_ready(self) -> None:
        if self.state == NOT_STARTED:
            self.start()
            self.state = STARTING
        if self.state != STARTING:
            raise self._unavailable()
        if self._awaiting_start > self._policy.queue_max:
            raise ServiceUnavailable(
                f"{self._awaiting_start} requests wait for this model to load, which is as many "
                "as settings allow: instances.*.queue_max",
                2,
            )
        self._awaiting_start += 1
        try:
            async with asyncio.timeout(self._policy.start_wait_s):
                await self._ready.wait()
        except TimeoutError:
            raise self._unavailable() from None
        finally:
            self._awaiting_start -= 1
        if self._slot is None:
            raise self._unavailable()

    def _unavailable(self) -> ServiceUnavailable:
        """Why not, without the inside: paths and engine texts are for the log and /readyz."""
        if self.state == STARTING:
            return ServiceUnavailable(f"the model is loading: {self.detail or 'starting'}", 2)
        if self.state == STOPPED:
            return ServiceUnavailable("the server is shutting down", 5)
        wait_s = max(0.5, self._retry_at - asyncio.get_running_loop().time())
        word = "could not start" if self.state == FAILED else "stopped and is being restarted"
        return ServiceUnavailable(f"the model's engine {word}", wait_s)

    async def _supervise(self) -> None:
        failures = 0
        while self.state != STOPPED:
            served_s = await self._run_once()
            if served_s is None:
                failures = 0
                await self._wanted.wait()
                continue
            failures = 1 if served_s > HEALTHY_AFTER_S else failures + 1
            doublings = min(failures - 1, DOUBLINGS_MAX)
            pause_s = min(BACK_OFF_MAX_S, BACK_OFF_FIRST_S * 2**doublings)
            self._retry_at = asyncio.get_running_loop().time() + pause_s
            self._wake_waiting()
            log.warning(
                "instance down",
                instance=self.spec.name,
                state=self.state,
                reason=self.detail,
                wait_s=pause_s,
            )
            await asyncio.sleep(pause_s)

    def _wake_waiting(self) -> None:
        """Tell everybody who waits, for the start or in the queue, that it did not come to be."""
        self._ready.set()
        self._ready = asyncio.Event()
        self.gate.refuse_waiting(self._unavailable)

    async def _run_once(self) -> float | None:
        """One life of an engine; returns how many seconds it served, None if it was unloaded."""
        clock = asyncio.get_running_loop().time
        self._become(STARTING, "starting")
        self.loaded_share = 0.0
        engine: Engine | None = None
        ready_at: float | None = None
        try:
            engine = await self._build(self.spec)
            capabilities = await engine.start(self._progress)
            ready_at = clock()
            self._serve_with(engine, capabilities)
            reason = await self._until_over(engine)
            if reason is None:
                return None
            self._become(BACKING_OFF, reason)
        except SetupError as problem:
            self._become(FAILED, problem.message)
        except LinariteError as problem:
            self._become(BACKING_OFF, problem.message)
        except Exception as problem:
            log.exception("engine failed", instance=self.spec.name)
            self._become(FAILED, f"{type(problem).__name__}: {problem}")
        finally:
            self._slot = None
            if engine is not None:
                await self._free(engine)
        return clock() - ready_at if ready_at is not None else 0.0

    async def _until_over(self, engine: Engine) -> str | None:
        """Why the engine can serve no more; None when it was unloaded for being idle."""
        if not self._policy.unload_after_s:
            return await engine.wait_exit()
        ended = asyncio.ensure_future(engine.wait_exit())
        idle: asyncio.Future[None] | None = None
        try:
            while not ended.done():
                idle = asyncio.ensure_future(self.gate.until_idle_for(self._policy.unload_after_s))
                await asyncio.wait({ended, idle}, return_when=asyncio.FIRST_COMPLETED)
                if not ended.done() and not self.gate.running:
                    self._unload()
                    return None
            return ended.result()
        finally:
            watching: list[asyncio.Future[Any]] = [ended, *([idle] if idle is not None else [])]
            for each in watching:
                each.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    def _unload(self) -> None:
        """From now on the next request loads the model again."""
        self._slot = None
        self._wanted.clear()
        self._ready = asyncio.Event()
        self._become(NOT_STARTED, "unloaded: nobody asked for it")
        log.info("instance unloaded", instance=self.spec.name)

    async def _free(self, engine: Engine) -> None:
        """Whatever an engine does, the next one must be started."""
        try:
            await engine.stop(0)
        except Exception:
            log.exception("engine did not stop well", instance=self.spec.name)

    def _become(self, state: str, detail: str) -> None:
        """Change the state. Stopped is for ever, whatever the engine still does."""
        if self.state != STOPPED:
            self.state, self.detail = state, detail

    def _serve_with(self, engine: Engine, capabilities: Capabilities) -> None:
        if self.state == STOPPED:
            return
        self.capabilities = capabilities
        self.gate.widen(capabilities.parallel_requests)
        self._slot = Slot(engine=engine, capabilities=capabilities, model=self.spec.model)
        self._become(READY, "")
        self._ready.set()
        log.info("instance ready", instance=self.spec.name, engine=self.spec.engine)

    def _progress(self, share: float, doing: str) -> None:
        self.loaded_share = share
        self.detail = f"{doing} ({share:.0%})"
