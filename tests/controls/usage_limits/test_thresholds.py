"""When a limit's use is told."""

from __future__ import annotations

from linarite.controls.usage_limits import Crossing, ThresholdWatch
from linarite.domain.ledger import Bucket, Charge
from linarite.domain.usage_limits import Subject
from tests.controls.usage_limits.builders import ACCOUNT, limit

MAY_1 = 1_777_593_600.0
"""2026-05-01 in UTC"""
DAY_S = 86_400.0


class Told:
    """A watch over one subject's tokens, and what it has told."""

    def __init__(self, **said: object) -> None:
        self.now = MAY_1
        self.watch = ThresholdWatch(now=lambda: self.now)
        self.crossings: list[Crossing] = []
        self.watch.tell = self.crossings.append
        whose = Subject(limit("people", "principal", "", ACCOUNT, **said), "ann")
        self.bucket: Bucket = self.watch.bucket(whose, whose.limit.bounds[0])
        self.used = 0

    def use(self, tokens: int, reserved: int = 500) -> None:
        """A request that was thought to take more."""
        left = self.bucket.limit - self.used - reserved
        self.watch.settled([Charge(self.bucket, reserved)], [left], [tokens])
        self.used += tokens

    def percents(self) -> list[int]:
        """What was told."""
        return [each.percent for each in self.crossings]


def test_each_percentage_is_told_once_in_a_window() -> None:
    """By what was used, not by what was reserved; the highest of those that are passed at once."""
    told = Told(tokensPerDay=1000, warnAt=[50, 80, 100])
    told.use(400)
    assert told.percents() == []
    told.use(150)
    told.use(10)
    assert told.percents() == [50]
    told.use(500)
    assert told.percents() == [50, 100]
    first = told.crossings[0]
    assert (first.used, first.period, first.subject.name) == (550, "2026-05-01", "ann")
    told.now += DAY_S
    told.used = 0
    told.use(600)
    assert told.percents() == [50, 100, 50]
    assert told.crossings[-1].period == "2026-05-02"


def test_nothing_is_told_that_nobody_asked_for() -> None:
    """A limit without percentages."""
    told = Told(tokensPerDay=1000)
    told.use(1000)
    assert told.crossings == []


def test_a_refusal_is_told_once_in_a_day_or_month() -> None:
    """Of limits by the minute not at all: they refuse as a matter of course."""
    told = Told(tokensPerMonth=1000)
    for _ in range(3):
        told.watch.refused(told.bucket, 20)
    assert [(each.percent, each.used, each.period) for each in told.crossings] == [
        (0, 980, "2026-05")
    ]
    told.now += 31 * DAY_S
    told.watch.refused(told.bucket, 0)
    assert [each.period for each in told.crossings] == ["2026-05", "2026-06"]
    minutes = Told(tokensPerMinute=1000, warnAt=[80])
    minutes.watch.refused(minutes.bucket, 0)
    assert minutes.crossings == []
