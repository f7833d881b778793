"""Guessing is slowed, by name and by address, in bounded memory."""

from __future__ import annotations

import pytest

from linarite.signin import throttle as module
from linarite.signin.guarding import CLIENT, USER, Attempt, forgive
from linarite.signin.refusals import SignInRefused
from linarite.signin.throttle import Throttle


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_the_wait_doubles_to_a_minute_and_ends() -> None:
    """Free failures cost nothing; each further one doubles the wait; time and success end it."""
    clock = Clock()
    throttle = Throttle(clock)
    waits = []
    for _ in range(12):
        throttle.failed("user", "ada")
        waits.append(throttle.wait_s("user", "ada", free=3))
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.now += 59
    assert throttle.wait_s("user", "ada", free=3) == 1
    clock.now += 1
    assert throttle.wait_s("user", "ada", free=3) == 0
    throttle.failed("user", "ada")
    throttle.succeeded("user", "ada")
    assert throttle.wait_s("user", "ada", free=0) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many names those that failed longest ago are forgotten."""
    monkeypatch.setattr(module, "NAMES_MAX", 3)
    throttle = Throttle(Clock())
    for name in ("a", "b", "c", "a", "d"):
        throttle.failed("user", name)
    assert throttle.wait_s("user", "b", free=0) == 0
    assert throttle.wait_s("user", "a", free=0) > 0


def test_a_name_from_elsewhere_is_not_kept_out_so_soon() -> None:
    """Eleven failures from one address stop that address; the owner of the name still gets in."""
    throttle = Throttle(Clock())
    for _ in range(11):
        Attempt(throttle, USER, "ada", "192.0.2.1").failed()
    with pytest.raises(SignInRefused) as refusal:
        Attempt(throttle, USER, "Ada", "192.0.2.1").require_turn()
    assert refusal.value.number == 50053
    assert refusal.value.headers["retry-after"] == "1"
    Attempt(throttle, USER, "ada", "192.0.2.2").require_turn()
    for host in range(101):
        Attempt(throttle, CLIENT, "app", f"192.0.2.{host}").failed()
    with pytest.raises(SignInRefused) as refusal:
        Attempt(throttle, CLIENT, "app", "198.51.100.1").require_turn()
    assert refusal.value.number == 90055


def test_others_failures_count_where_nobody_knows_one() -> None:
    """Guesses from anywhere keep a person out, but not where they have signed in before."""
    throttle = Throttle(Clock())
    Attempt(throttle, USER, "ada", "198.51.100.7").succeeded()
    for host in range(60):
        Attempt(throttle, USER, "ada", f"192.0.2.{host}").failed()
    Attempt(throttle, USER, "Ada", "198.51.100.7").require_turn()
    with pytest.raises(SignInRefused):
        Attempt(throttle, USER, "ada", "198.51.100.8").require_turn()
    for _ in range(11):  # and there, guesses from there count as before
        Attempt(throttle, USER, "ada", "198.51.100.7").failed()
    with pytest.raises(SignInRefused):
        Attempt(throttle, USER, "ada", "198.51.100.7").require_turn()
    forgive(throttle, USER, "ADA")
    for address in ("198.51.100.7", "198.51.100.8", "192.0.2.1"):
        Attempt(throttle, USER, "ada", address).require_turn()


def test_whoever_has_a_network_has_all_its_addresses() -> None:
    """Of IPv6, addresses of one network count together; of IPv4 each counts alone."""
    throttle = Throttle(Clock())
    for last in range(11):
        Attempt(throttle, USER, "ada", f"2001:db8:1:2::{last + 1:x}").failed()
    with pytest.raises(SignInRefused):
        Attempt(throttle, USER, "ada", "2001:db8:1:2:ffff::1").require_turn()
    Attempt(throttle, USER, "ada", "2001:db8:1:3::1").require_turn()
    Attempt(throttle, USER, "ada", "192.0.2.1").require_turn()
