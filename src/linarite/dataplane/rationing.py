"""What has begun and needs more of its limits: reserved before it is used, or waited for.

A response with hosted tools asks a model again and again; an answer to a request that bounds it by
nothing goes on for as long as the model likes. Neither may use what is not reserved.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from linarite.dataplane.parts.prompt_sizes import text_tokens
from linarite.domain.chat import ChatChoice, ChatEvent
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from linarite.dataplane.call import Call
    from linarite.domain.chat import ChatAsk
    from linarite.domain.engine import Engine, Slot
    from linarite.domain.usage import Usage

AHEAD_TOKENS = 8
"""that are reserved beyond what was heard: an event brings rarely more"""
STEP_TOKENS = 64
"""reserved at a time"""
HOLDING_WAITS_S = 10.0
"""the longest wait of what holds a place on an instance meanwhile"""
NOBODY_WAITS = 10
"""times as long may wait what nobody waits for: lines of batches, responses in the background"""


def waits_s(call: Call) -> float:
    """For how long a call that has begun waits for its limits."""
    return call.lease.wait_s * (NOBODY_WAITS if call.maker is not None else 1)


async def waited_for(wait_s: float, reserve: Callable[[], Awaitable[None]]) -> None:
    """Reserve, and again when it may fit, for so long. Raises the last refusal."""
    until = time.monotonic() + wait_s
    while True:
        try:
            await reserve()
        except RateLimitReached as refused:
            pause_s = refused.refused.wait_s
            if math.isinf(pause_s) or time.monotonic() + pause_s > until:
                raise
            await asyncio.sleep(pause_s)
        else:
            return


def rationed(slot: Slot, call: Call) -> Slot:
    """The same place; where nothing bounds the answer, it goes on as far as its limits let it."""
    if not call.lease.grows:
        return slot
    return msgspec.structs.replace(slot, engine=RationedEngine(slot.engine, call))


class RationedEngine:
    """Another engine, for one chat whose answer has no bound.

    Where no more can be reserved, the answer ends as one that has reached its `max_tokens`.
    """

    def __init__(self, engine: Engine, call: Call) -> None:
        self._engine = engine
        self._call = call

    async def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """See Engine. It streams in any case: what is made at once can't be ended in between."""
        heard = Heard(self._call, ask.n or 1)
        streamed = ask if ask.stream else msgspec.structs.replace(ask, stream=True)
        async with aclosing(self._engine.chat(streamed)) as events:
            async for event in events:
                heard.take(event)
                yield event
                if heard.open and not await self._reserve(heard.tokens + AHEAD_TOKENS):
                    break
            else:
                return
        yield heard.end()

    async def _reserve(self, tokens: int) -> bool:
        """Whether so many are reserved for the turn now."""
        call, lease = self._call, self._call.lease
        missing = tokens - lease.tokens
        if missing <= 0:
            return True
        wait_s = min(waits_s(call), HOLDING_WAITS_S)
        try:
            await waited_for(wait_s, lambda: lease.grow(max(missing, STEP_TOKENS)))
        except RateLimitReached as refused:
            call.limited_by = refused.limited_by
            return False
        return True


class Heard:
    """What an answer has used, at most, as far as it has come."""

    def __init__(self, call: Call, answers: int) -> None:
        reply = call.reply
        assert reply is not None  # noqa: S101 - every operation's parse sets it
        self._prompt = reply.price().prompt_tokens
        self._made = 0.0
        self._usage: Usage | None = None
        self.open = set(range(answers))
        """the choices that go on"""

    @property
    def tokens(self) -> int:
        """By the engine's counts; where it gives none, by the characters."""
        if self._usage is not None:
            return self._usage.total_tokens
        return self._prompt + math.ceil(self._made)

    def take(self, event: ChatEvent) -> None:
        """It goes on."""
        if event.usage is not None:
            self._usage = event.usage
        for choice in event.choices:
            if self._usage is None:
                delta = choice.delta
                texts = (delta.content, delta.reasoning_content, delta.refusal)
                self._made += max(1.0, sum(text_tokens(each) for each in texts if each))
                self._made += sum(
                    text_tokens(each.function.arguments or "")
                    for each in delta.tool_calls or ()
                    if each.function is not None
                )
            if choice.finish_reason is not None:
                self.open.discard(choice.index)

    def end(self) -> ChatEvent:
        """All that goes on is cut off."""
        usage = self._usage or usage_of(self._prompt, math.ceil(self._made))
        cut = [ChatChoice(index=each, finish_reason="length") for each in sorted(self.open)]
        return ChatEvent(cut, usage)
