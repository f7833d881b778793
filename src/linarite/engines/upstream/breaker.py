"""The circuit breaker: an upstream that fails or throttles is left alone for a while."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable


class Cause(Enum):
    """Why the circuit is open."""

    FAILING = "failing"
    """it failed several times in a row; one request at a time may try it again"""
    THROTTLING = "throttling"
    """it answered 429 and said for how long"""
    BUSY = "busy"
    """it answered 503 and said for how long"""


class Blocked(msgspec.Struct, frozen=True):
    """Requests are kept away."""

    cause: Cause
    wait_s: float


class Breaker:
    """Closed: requests pass. Open: they don't. After failures a single one tries first.

    After a Retry-After the upstream itself has said when it will take requests again, so all pass
    then. A trial that is never heard of again (its client left) makes room for the next one after
    `open_s`.
    """

    def __init__(self, failures_max: int, open_s: float, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back."""
        self._failures_max = failures_max
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._open_until = 0.0
        self._cause = Cause.FAILING

    @property
    def is_open(self) -> bool:
        """Requests are kept away at this moment."""
        return self._clock() < self._open_until

    @property
    def is_troubled(self) -> bool:
        """Something failed, or requests are kept away, since all was last well."""
        return bool(self._failures or self._open_until)

    def admit(self) -> Blocked | None:
        """None when a request may pass."""
        if not self._open_until:
            return None
        now = self._clock()
        if now < self._open_until:
            return Blocked(self._cause, self._open_until - now)
        if self._cause is Cause.FAILING:
            # This one is the trial; the others stay away until it is decided.
            self._open_until = now + self._open_s
        else:
            self._open_until = 0.0
        return None

    def succeeded(self) -> bool:
        """It answered; True when that ends a time of failures.

        A Retry-After that still runs goes on: the answer may be to a request sent before it.
        """
        self._failures = 0
        if self._cause is Cause.FAILING and self._open_until:
            self._open_until = 0.0
            return True
        return False

    def failed(self) -> bool:
        """It failed; True when that has opened the circuit."""
        self._failures += 1
        if self._failures < self._failures_max:
            return False
        opened = not self.is_open
        self._cause = Cause.FAILING
        self._open_until = self._clock() + self._open_s
        return opened

    def told_to_wait(self, cause: Cause, wait_s: float) -> None:
        """It said for how long it wants to be left alone."""
        self._cause = cause
        self._open_until = max(self._open_until, self._clock() + wait_s)
