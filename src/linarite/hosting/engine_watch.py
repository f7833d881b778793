"""What looks at engines from time to time, so that nobody who asks has to wait for them."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.engine import EngineUse, Measured
from linarite.domain.errors import LinariteError
from linarite.hosting.instance import READY

if TYPE_CHECKING:
    from linarite.hosting.host import Host
    from linarite.hosting.instance import Instance

EVERY_S = 5.0

log = structlog.get_logger("linarite.engines")


class EngineWatch:
    """Keeps how each engine stood when it was looked at last. No request pays for it."""

    def __init__(self, host: Host, every_s: float = EVERY_S) -> None:
        self.uses: dict[str, EngineUse] = {}
        """by instance; those whose engine tells nothing are not there"""
        self._host = host
        self._every_s = every_s
        self._looked_at: dict[str, float] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._watch(), name="engine watch")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def look(self) -> None:
        """Ask every engine that runs, side by side."""
        running = [each for each in self._host.instances() if each.state == READY]
        found = await asyncio.gather(*(self._use_of(each) for each in running))
        self.uses = {
            each.spec.name: use for each, use in zip(running, found, strict=True) if use is not None
        }

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("engines not looked at by our own fault")
            await asyncio.sleep(self._every_s)

    async def _use_of(self, instance: Instance) -> EngineUse | None:
        engine = instance.engine
        if not isinstance(engine, Measured):
            return None
        name = instance.spec.name
        before, looked_at = self.uses.get(name), self._looked_at.get(name, 0.0)
        try:
            use = await engine.use()
        except LinariteError:
            return before  # busy or just gone: what it said last will do
        except Exception:  # the others are looked at all the same
            log.exception("engine not looked at by our own fault", instance=name)
            return None
        now = self._looked_at[name] = monotonic()
        return _with_rates(use, before, now - looked_at) if before is not None else use


def _with_rates(use: EngineUse, before: EngineUse, passed_s: float) -> EngineUse:
    """Tokens a second since it was looked at before; none where it has started anew meanwhile."""
    prompt, generated = use.prompt_tokens, use.generated_tokens
    had_prompt, had_generated = before.prompt_tokens, before.generated_tokens
    if prompt is None or generated is None or had_prompt is None or had_generated is None:
        return use
    if prompt < had_prompt or passed_s <= 0:
        return use
    return msgspec.structs.replace(
        use,
        prompt_tokens_per_s=(prompt - had_prompt) / passed_s,
        generated_tokens_per_s=max(generated - had_generated, 0) / passed_s,
    )
