"""Guessing is slowed: whoever fails often waits longer and longer. Bounded in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES_MAX = 20_000
WAIT_S_MAX = 60.0
FORGOTTEN_S = 900.0


class _Failures(msgspec.Struct):
    count: float = 0
    last_at: float = 0


class Throttle:
    """Counts failures by name; a name is a client id, a person, an address or both.

    Each name may fail `free` times; after that the wait doubles with each failure, to a minute.
    A success ends the count. What has not failed for a quarter of an hour is forgotten; of more
    than 20,000 names those that failed longest ago are.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` in seconds."""
        self._now = now
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._at_home: OrderedDict[tuple[str, str], None] = OrderedDict()

    def wait_s(self, kind: str, name: str, free: int) -> float:
        """How long this name must still wait; 0 lets it try."""
        known = self._failures.get((kind, name))
        if known is None or known.count <= free:
            return 0.0
        passed = self._now() - known.last_at
        if passed > FORGOTTEN_S:
            return 0.0
        return max(0.0, min(WAIT_S_MAX, 2.0 ** min(known.count - free - 1, 10)) - passed)

    def failed(self, kind: str, name: str) -> None:
        """Count a failure."""
        key, moment = (kind, name), self._now()
        known = self._failures.pop(key, None)
        if known is None or moment - known.last_at > FORGOTTEN_S:
            known = _Failures()
        known.count += 1
        known.last_at = moment
        self._failures[key] = known
        while len(self._failures) > NAMES_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, kind: str, name: str) -> None:
        """End the count of a name."""
        self._failures.pop((kind, name), None)

    def forgive(self, kind: str, beginning: str) -> None:
        """End the counts of all names that begin so."""
        for key in [each for each in self._failures if each[0] == kind]:
            if key[1].startswith(beginning):
                del self._failures[key]

    def at_home(self, kind: str, name: str) -> bool:
        """Whether this name was `welcomed`."""
        return (kind, name) in self._at_home

    def welcome(self, kind: str, name: str) -> None:
        """Remember where somebody succeeded; of more than 20,000 the oldest are forgotten."""
        self._at_home.pop((kind, name), None)
        self._at_home[kind, name] = None
        while len(self._at_home) > NAMES_MAX:
            self._at_home.popitem(last=False)
