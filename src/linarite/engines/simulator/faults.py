"""Which requests go wrong, and how: by script, by rule, or because the request asks for it."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.errors import (
    ConnectionDropped,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    RequestTimedOut,
    ServiceUnavailable,
    TooManyRequests,
)
from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.options import FAULT_NAMES
from linarite.engines.simulator.steps import until_due

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.engines.simulator.options import FaultRule, SimulatorOptions
    from linarite.engines.simulator.steps import EventT, Waits

_ASKED = re.compile(r"\[simulate ([\w-]{1,40})\]")
_FINE = "ok"


class FaultPlan:
    """Decides the fault of each request, in the order in which requests come.

    A request that asks for a fault gets it (where options allow that); else the script decides
    while it lasts; else the first rule that fires.
    """

    def __init__(self, options: SimulatorOptions) -> None:
        self._by_request = options.faults_by_request
        self._script = [str(outcome) for outcome in options.fault_script]
        self._repeats = options.fault_script_repeats
        self._rules = options.faults
        self._dice = Dice(options.seed, "faults")
        self._requests = 0

    def next(self, text: str) -> str:
        """The fault of the next request, or "". `text` is what the person said.

        Raises InvalidRequest when the request asks for a fault that does not exist.
        """
        asked = _ASKED.search(text) if self._by_request else None
        if asked and asked[1] not in FAULT_NAMES:
            raise InvalidRequest(
                f"The fault '{asked[1]}' does not exist. Ask for one of: {', '.join(FAULT_NAMES)}."
            )
        number = self._requests
        self._requests += 1
        # Every rule draws for every request, so that one rule does not shift another's draws.
        fired = [str(rule.kind) for rule in self._rules if self._fires(rule, number)]
        if asked:
            return asked[1]
        if self._repeats:
            number %= len(self._script)
        if number < len(self._script):
            fired = [self._script[number]]
        return fired[0] if fired and fired[0] != _FINE else ""

    def _fires(self, rule: FaultRule, number: int) -> bool:
        if rule.every_nth:
            return (number + 1) % rule.every_nth == 0
        return self._dice.share() < rule.rate


class FaultyPlayer:
    """Gives a request's events with its fault."""

    def __init__(self, options: SimulatorOptions, model: str, waits: Waits) -> None:
        self._options = options
        self._model = model
        self._waits = waits

    async def play(
        self, fault: str, events: AsyncGenerator[EventT, None]
    ) -> AsyncGenerator[EventT, None]:
        """The events, late, cut off or not at all. Raises what the fault stands for."""
        if refusal := self._refusal(fault):
            raise refusal
        options = self._options
        if fault == "slow_headers":
            await self._pause(options.slow_headers_s, options.first_event_s_max)
            async with aclosing(events):
                async for event in events:
                    yield event
            return
        async with aclosing(self._interrupted(fault, events)) as interrupted:
            async for event in interrupted:
                yield event

    async def _interrupted(
        self, fault: str, events: AsyncGenerator[EventT, None]
    ) -> AsyncGenerator[EventT, None]:
        """Stall or cut after some events, but before the last one at the latest."""
        async with aclosing(events):
            sent, held = 0, await anext(events, None)
            while held is not None:
                # Only who holds one event back knows which is the last.
                following = await anext(events, None)
                if fault and (sent == self._options.fault_after_chunks or following is None):
                    await self._trip(fault, sent)
                    fault = ""
                yield held
                sent, held = sent + 1, following

    def _refusal(self, fault: str) -> LinariteError | None:
        options = self._options
        if fault == "429":
            return TooManyRequests(
                f"Requests to {self._model} have exceeded the token rate limit. Please retry "
                f"after {options.retry_after_s:g} seconds. (simulated)",
                options.retry_after_s,
            )
        if fault == "500":
            return EngineFailed("The server had an error processing your request. (simulated)")
        if fault == "503":
            return ServiceUnavailable("simulated", options.retry_after_s)
        return RequestTimedOut() if fault == "408" else None

    async def _trip(self, fault: str, sent: int) -> None:
        if fault == "cut_mid_stream":
            raise EngineFailed(f"The engine broke off after {sent} events. (simulated)")
        if fault == "drop":
            raise ConnectionDropped(f"Closed after {sent} events. (simulated)")
        if fault == "stall":
            options = self._options
            allowed_s = options.idle_s_max if sent else options.first_event_s_max
            await self._pause(options.stall_s, allowed_s)

    async def _pause(self, seconds: float, allowed_s: float) -> None:
        now = asyncio.get_running_loop().time()
        await until_due(self._waits, now + seconds, now, allowed_s)
