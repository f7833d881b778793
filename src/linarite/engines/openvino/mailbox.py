"""What is said to one request, kept until it is asked for, with a deadline for each word."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

from linarite.domain.errors import RequestTimedOut

if TYPE_CHECKING:
    from types import TracebackType

WordT = TypeVar("WordT")


class Mailbox(Generic[WordT]):
    """For one reader. Use it as a context, so that its timer ends.

    The timer is armed for the first deadline and, when it rings early because deadlines have moved
    on since, armed again; so a word costs no timer.
    """

    __slots__ = ("_deadline", "_loop", "_timer", "_timer_at", "_waiter", "_words")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._words: deque[WordT] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf

    def __enter__(self) -> Mailbox[WordT]:
        """Nothing is armed yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """No timer is left."""
        if self._timer is not None:
            self._timer.cancel()

    def put(self, word: WordT) -> None:
        """Leave a word for the reader."""
        self._words.append(word)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self, within_s: float) -> WordT:
        """The next word. Raises RequestTimedOut when none comes within that many seconds."""
        if not self._words:
            self._expect_by(self._loop.time() + within_s)
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._words.popleft()

    def _expect_by(self, deadline: float) -> None:
        self._deadline = deadline
        if self._timer_at > deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = deadline
            self._timer = self._loop.call_at(deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        self._timer_at = math.inf
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() < self._deadline:
            self._expect_by(self._deadline)
        else:
            self._waiter.set_exception(RequestTimedOut("The model did not answer in time."))
