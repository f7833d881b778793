"""A step of an answer, and how steps become a paced stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

from linarite.domain.errors import EngineFailed, RequestTimedOut
from linarite.engines.simulator.dice import Dice

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.engines.simulator.options import SimulatorOptions

EventT = TypeVar("EventT")

Steps = Iterator[tuple[int, EventT]]
"""events, each with the number of gaps between tokens that go by before it"""

_EVENTS_BETWEEN_BREATHS = 32
"""events sent without a pause before other tasks get a turn"""


class Waits:
    """Every wait of an engine's requests, so that all of them can be broken off at once."""

    def __init__(self) -> None:
        self._pending: set[asyncio.Future[None]] = set()

    async def until(self, when: float) -> None:
        """Return at this time of the loop's clock. Raises EngineFailed when broken off."""
        loop = asyncio.get_running_loop()
        if when <= loop.time():
            # Streams that are late catch up, but not at the cost of everything else.
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(when, _wake, future)
        self._pending.add(future)
        try:
            await future
        finally:
            timer.cancel()
            self._pending.discard(future)

    def break_off(self) -> None:
        """End every wait now: the engine stops."""
        for future in self._pending:
            if not future.done():
                future.set_exception(EngineFailed("The engine was stopped during this request."))


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Pace:
    """When each event of one request is due. Times add up from the start, so nothing drifts."""

    def __init__(self, options: SimulatorOptions, waits: Waits, request: int) -> None:
        """`request` numbers the requests of an engine: each has jitter of its own."""
        self._waits = waits
        self._request = request
        self._seed = options.seed
        self._jitter = options.jitter
        self._gap_s = 1 / options.tokens_per_second if options.tokens_per_second else 0.0
        self._first_s = options.time_to_first_token_ms / 1000
        self._first_s_max = options.first_event_s_max
        self._idle_s_max = options.idle_s_max

    @property
    def waits_at_all(self) -> bool:
        """Whether events are ever held back."""
        return bool(self._gap_s or self._first_s)

    async def paced(self, steps: Steps[EventT]) -> AsyncGenerator[EventT, None]:
        """Give each event when it is due. Raises RequestTimedOut past a deadline."""
        loop = asyncio.get_running_loop()
        dice = Dice(self._seed, "jitter", self._request)
        last = loop.time()
        due = last + self._varied(self._first_s, 1, dice)
        await until_due(self._waits, due, last, self._first_s_max)
        if not self._gap_s:
            async for event in unpaced(steps):
                yield event
            return
        for gaps, event in steps:
            if gaps:
                due += self._varied(self._gap_s, gaps, dice)
                # An answer told in one event takes many gaps, none of which is a pause.
                await until_due(self._waits, due, loop.time(), self._idle_s_max * gaps)
            yield event

    def _varied(self, seconds: float, times: int, dice: Dice) -> float:
        if not self._jitter:
            return seconds * times
        return sum(seconds * (1 + self._jitter * (2 * dice.share() - 1)) for _ in range(times))


async def until_due(waits: Waits, due: float, last: float, allowed_s: float) -> None:
    """Wait until `due`, but no longer than so many seconds after `last`; 0 is without bound.

    Raises RequestTimedOut at that deadline.
    """
    if allowed_s and due - last > allowed_s:
        await waits.until(last + allowed_s)
        raise RequestTimedOut
    await waits.until(due)


async def unpaced(steps: Steps[EventT]) -> AsyncGenerator[EventT, None]:
    """Give events as fast as they are taken, with turns for other tasks in between."""
    left = _EVENTS_BETWEEN_BREATHS
    for _, event in steps:
        yield event
        left -= 1
        if not left:
            left = _EVENTS_BETWEEN_BREATHS
            await asyncio.sleep(0)
