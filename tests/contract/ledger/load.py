"""The load of several servers, and what must hold of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.domain.ledger import Bucket, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

CLIENTS = 8
TOKENS = Bucket("tokens", "deployment-tokens", "tokens", 2000, Window.SECOND)
REQUESTS = Bucket("requests", "deployment-requests", "requests", 110, Window.SECOND)
PLACES = Bucket("places", "key-concurrent", "concurrent", 6, Window.HELD)
DAY = Bucket("day", "key-tokens", "tokens", 1_000_000, Window.DAY)
BUCKETS = (TOKENS, REQUESTS, PLACES, DAY)
NEVER = float("inf")


@dataclass
class Admitted:
    """One request."""

    sent: float
    answered: float
    amount: int
    settled: float = NEVER
    """when that was sent, or its server was killed"""
    used: int = 0

    def tokens_at(self, when: float) -> int:
        """What it counts at least at that time."""
        return self.amount if when < self.settled else min(self.used, self.amount)


def admitted_in(lines: Iterable[str], killed: float) -> list[Admitted]:
    """What a server has said until it was killed; the last line may be torn."""
    found: dict[str, Admitted] = {}
    for line in lines:
        if not line.startswith(("reserved", "settled")) or not line.endswith("\n"):
            continue
        what, name, at, *rest = line.split()
        if what == "reserved":
            found[name] = Admitted(float(at), float(rest[0]), int(rest[1]))
        else:
            found[name].settled, found[name].used = float(at), int(rest[0])
    for one in found.values():
        if one.settled == NEVER:
            one.settled, one.used = killed, one.amount
    return list(found.values())


def most_in_a_window(all_of: list[Admitted], window_s: float) -> tuple[int, int]:
    """The most tokens and requests that any window had for certain.

    Each was charged at a moment between its sending and its answer; it is certainly within a
    window in which both are.
    """
    tokens = requests = 0
    for last in all_of:
        end = last.answered
        within = [one for one in all_of if one.sent > end - window_s and one.answered <= end]
        tokens = max(tokens, sum(one.tokens_at(end) for one in within))
        requests = max(requests, len(within))
    return tokens, requests


def most_at_once(all_of: list[Admitted]) -> int:
    """The most that ran at the same time."""
    return max(sum(one.answered <= at.answered < one.settled for one in all_of) for at in all_of)
