"""The circuit breaker, on a clock of the test's own."""

from __future__ import annotations

from linarite.engines.upstream.breaker import Blocked, Breaker, Cause


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_it_opens_after_failures_in_a_row() -> None:
    """Only consecutive failures count; when it opens, requests learn for how long."""
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    for failed in (True, True, False, True, True):
        assert breaker.admit() is None
        assert not (breaker.failed() if failed else breaker.succeeded())
    assert breaker.failed()
    clock.now += 4
    assert breaker.admit() == Blocked(Cause.FAILING, 6.0)


def test_one_request_tries_again() -> None:
    """After the pause a single request passes; the others stay away until it is decided."""
    clock = Clock()
    breaker = Breaker(1, 10.0, clock)
    breaker.failed()
    clock.now += 10
    assert breaker.admit() is None
    assert breaker.admit() == Blocked(Cause.FAILING, 10.0)
    assert breaker.succeeded()
    assert breaker.admit() is None
    assert breaker.admit() is None


def test_a_failed_trial_closes_the_door_again() -> None:
    """The pause begins anew, without another round of failures, and is not announced twice."""
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    for _ in range(3):
        breaker.failed()
    clock.now += 10
    assert breaker.admit() is None
    clock.now += 1
    assert not breaker.failed()
    assert breaker.admit() == Blocked(Cause.FAILING, 10.0)


def test_a_lost_trial_makes_room_for_the_next() -> None:
    """A trial whose outcome nobody hears of does not keep the circuit open for ever."""
    clock = Clock()
    breaker = Breaker(1, 10.0, clock)
    breaker.failed()
    clock.now += 10
    assert breaker.admit() is None
    clock.now += 10
    assert breaker.admit() is None


def test_retry_after_is_honoured() -> None:
    """Until the time that the upstream named nobody passes, then everybody does."""
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    breaker.told_to_wait(Cause.THROTTLING, 5.0)
    assert breaker.is_open
    breaker.succeeded()
    assert breaker.admit() == Blocked(Cause.THROTTLING, 5.0)
    clock.now += 5
    assert not breaker.is_open
    assert breaker.admit() is None
    assert breaker.admit() is None


def test_a_shorter_pause_does_not_replace_a_longer_one() -> None:
    """Two answers with different pauses: the longer one counts."""
    clock = Clock()
    breaker = Breaker(3, 10.0, clock)
    breaker.told_to_wait(Cause.BUSY, 30.0)
    breaker.told_to_wait(Cause.THROTTLING, 5.0)
    assert breaker.admit() == Blocked(Cause.THROTTLING, 30.0)
