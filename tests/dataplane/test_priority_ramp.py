"""Priority is taken back from what grows too fast, where settings say so."""

from __future__ import annotations

import pytest

from linarite.dataplane.options import Limits
from linarite.dataplane.priority_ramp import PriorityRamp
from linarite.domain.quota import Price
from tests.dataplane.rig import HELLO, rig
from tests.dataplane.tiers import chat_on, deploy


class Clock:
    """In minutes."""

    minute = 1_000

    def __call__(self) -> float:
        """In seconds."""
        return self.minute * 60.0


def served(ramp: PriorityRamp, requests: int, deployment: str = "a") -> int:
    """How many of these requests of a hundred tokens have priority."""
    return sum(ramp.admits(deployment, Price(60, 20, 2)) for _ in range(requests))


def test_growth_is_bounded_by_what_was_a_quarter_of_an_hour_ago() -> None:
    """Half as much again, and not again at once; each deployment for itself."""
    clock = Clock()
    ramp = PriorityRamp(50, 0, clock)
    assert served(ramp, 10) == 10
    clock.minute += 14
    assert served(ramp, 40) == 40  # nobody knows yet what there was before
    clock.minute += 1
    assert served(ramp, 40) == 15
    clock.minute += 1
    assert served(ramp, 40) == 15
    assert served(ramp, 1, "b") == 0
    clock.minute += 14  # the forty are so far back now
    assert served(ramp, 100) == 60
    clock.minute += 60
    assert served(ramp, 1) == 0


def test_a_floor_is_never_too_much() -> None:
    """Whoever begins may begin."""
    clock = Clock()
    ramp = PriorityRamp(50, 1_000, clock)
    clock.minute += 15
    assert served(ramp, 20) == 10
    clock.minute += 10
    assert served(ramp, 20) == 10


def test_what_is_remembered_is_bounded() -> None:
    """Half an hour of minutes."""
    clock = Clock()
    ramp = PriorityRamp(10_000, 10**9, clock)
    for _ in range(200):
        served(ramp, 1)
        clock.minute += 1
    assert len(ramp._served["a"]) <= 32


@pytest.mark.anyio
async def test_the_answer_says_default() -> None:
    """As for a long prompt; and nothing of it without the setting."""
    asked = HELLO | {"service_tier": "priority", "max_tokens": 5}
    limits = Limits(priority_growth_max=50, priority_growth_floor=0)
    for settings, tier in ((limits, "default"), (Limits(), "priority")):
        async with rig(limits=settings) as running:
            await deploy(running, "d")
            ramp = running.dataplane.surface.ramp
            if ramp is not None:
                ramp._began -= 15
            answer = await running.chat_at(chat_on("d"), asked)
            assert answer.json()["service_tier"] == tier
            assert (await running.recorded(1)).service_tier == tier
