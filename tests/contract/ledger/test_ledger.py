"""What every ledger does."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

import pytest

from linarite.domain.calendar_windows import period_end
from linarite.domain.ledger import Bucket, Charge, DoesNotFit, Measure, Window

if TYPE_CHECKING:
    from tests.contract.ledger.conftest import Charging

pytestmark = pytest.mark.anyio

WAITS_S = {
    Window.SECOND: (0.9, 1),
    Window.TEN_SECONDS: (9.8, 10),
    Window.MINUTE: (59.8, 60),
    Window.HELD: (1, 1),
}


def bucket(window: Window, limit: int = 100, measure: Measure = "tokens", key: str = "") -> Bucket:
    """One of a key of its own."""
    return Bucket(key or f"k:{window.name}:{measure}", "key-x", measure, limit, window)


async def refused(charging: Charging, *charges: Charge) -> DoesNotFit:
    """Why it does not fit."""
    with pytest.raises(DoesNotFit) as problem:
        await charging.charge(*charges)
    return problem.value


@pytest.mark.parametrize(
    "window", [each for each in Window if each not in (Window.FIXED_MINUTE, Window.LEAKY_MINUTE)]
)
async def test_what_is_charged_counts_until_its_window_is_over(
    charging: Charging, window: Window
) -> None:
    """What is left is told with each; what does not fit is refused, with when it will."""
    one = bucket(window)
    assert (await charging.charge(Charge(one, 60))).left == [40]
    problem = await refused(charging, Charge(one, 41))
    assert problem.left == [40]
    assert (problem.refused.bucket, problem.refused.charged, problem.refused.left) == (one, 41, 40)
    if window in WAITS_S:
        shortest, longest = WAITS_S[window]
    else:
        shortest = longest = period_end(window, time.time()) - time.time()
        shortest, longest = shortest - 2, longest + 0.1  # the clock has gone on since
    assert shortest <= problem.refused.wait_s <= longest
    assert (await charging.charge(Charge(one, 40))).left == [0]
    assert (await refused(charging, Charge(one, 101))).refused.wait_s == math.inf
    assert await charging.ledger.left([one]) == [0]


async def test_all_are_charged_or_none(charging: Charging) -> None:
    """The one that takes longest is named; left is told of all, in their order."""
    small, second, wide = (
        bucket(Window.TEN_SECONDS, 5),
        bucket(Window.SECOND, 5),
        bucket(Window.DAY),
    )
    await charging.charge(Charge(small, 5), Charge(second, 5), Charge(wide, 10))
    problem = await refused(charging, Charge(wide, 10), Charge(second, 1), Charge(small, 1))
    assert problem.refused.bucket == small
    assert problem.left == [90, 0, 0]
    assert await charging.ledger.left([small, second, wide]) == [0, 0, 90]


@pytest.mark.parametrize(
    "window", [Window.SECOND, Window.MINUTE, Window.DAY, Window.MONTH, Window.HELD]
)
async def test_it_is_settled_on_what_was_used(charging: Charging, window: Window) -> None:
    """Less is there again at once, more is missing."""
    one = bucket(window)
    held = await charging.charge(Charge(one, 90))
    await charging.settled(held, [30])
    assert await charging.ledger.left([one]) == [70]
    held = await charging.charge(Charge(one, 10))
    await charging.settled(held, [50])
    assert await charging.ledger.left([one]) == [20]
    held = await charging.charge(Charge(one, 20))
    await charging.settled(held, [0])
    assert await charging.ledger.left([one]) == [20]


@pytest.mark.parametrize("window", [Window.SECOND, Window.MINUTE, Window.DAY, Window.MONTH])
async def test_what_goes_on_is_corrected_and_settled_once(
    charging: Charging, window: Window
) -> None:
    """Its place stays held; what more it took at last counts, too."""
    one, place = bucket(window), bucket(Window.HELD, 2)
    held = await charging.charge(Charge(one, 90), Charge(place, 1))
    await charging.ledger.correct(held, [30, 1])
    assert await charging.ledger.left([one, place]) == [70, 1]
    await charging.ledger.correct(held, [30, 1])
    assert await charging.ledger.left([one, place]) == [70, 1]
    more = await charging.charge(Charge(one, 70))
    await charging.settled(more, [5])
    await charging.settled(held, [40, 0])
    assert await charging.ledger.left([one, place]) == [55, 2]


@pytest.mark.parametrize("window", [Window.SECOND, Window.MINUTE, Window.DAY, Window.MONTH])
async def test_what_was_used_beyond_a_limit_is_told(charging: Charging, window: Window) -> None:
    """Below zero, to those who look at it; a refusal has nothing left."""
    one = bucket(window)
    held = await charging.charge(Charge(one, 60))
    await charging.settled(held, [180])
    assert await charging.ledger.left([one]) == [-80]
    problem = await refused(charging, Charge(one, 1))
    assert (problem.left, problem.refused.left) == ([0], 0)


async def test_the_second_after_has_room_again(charging: Charging) -> None:
    """As it was told; what is settled after its window counts only where it is more."""
    one = bucket(Window.SECOND)
    held = await charging.charge(Charge(one, 60))
    more = await charging.charge(Charge(one, 40))
    problem = await refused(charging, Charge(one, 50))
    await asyncio.sleep(problem.refused.wait_s + 0.02)
    assert (await charging.charge(Charge(one, 10))).left == [90]
    await charging.settled(held, [20])
    assert await charging.ledger.left([one]) == [90]
    await charging.settled(more, [45])
    assert await charging.ledger.left([one]) == [85]


async def test_azures_minute_lets_pass_while_anything_is_left(charging: Charging) -> None:
    """And corrects nothing."""
    one = bucket(Window.FIXED_MINUTE)
    held = await charging.charge(Charge(one, 99))
    await charging.settled(held, [1])
    assert (await charging.charge(Charge(one, 50))).left[0] <= 0
    assert 0 < (await refused(charging, Charge(one, 1))).refused.wait_s <= 60


async def test_a_leaky_bucket_lets_pass_up_to_its_rim(charging: Charging) -> None:
    """One request may fill it whole at most; it drains by its limit in a minute."""
    one = bucket(Window.LEAKY_MINUTE, 6000)
    assert (await charging.charge(Charge(one, 5000))).left[0] == pytest.approx(1000, abs=50)
    held = await charging.charge(Charge(one, 10_000))
    assert held.left[0] == pytest.approx(-5000, abs=50)
    problem = await refused(charging, Charge(one, 1))
    assert problem.refused.left == 0
    assert problem.refused.wait_s == pytest.approx(50, abs=1)
    await charging.settled(held, [100])
    assert (await charging.charge(Charge(one, 1))).left[0] == pytest.approx(900, abs=100)


async def test_a_limit_may_change_at_any_time(charging: Charging) -> None:
    """What was charged before still counts."""
    await charging.charge(Charge(bucket(Window.MINUTE, key="a"), 60))
    assert (await refused(charging, Charge(bucket(Window.MINUTE, 50, key="a"), 1))).left[0] <= 0
    assert (await charging.charge(Charge(bucket(Window.MINUTE, 70, key="a"), 10))).left == [0]


async def test_nothing_within_nothing_fits_what_is_empty_alone(charging: Charging) -> None:
    """So a charge can ask in the same step whether another bucket is idle."""
    idle, other = Charge(bucket(Window.MINUTE, 0, key="i"), 0), bucket(Window.MINUTE, key="o")
    assert (await charging.charge(Charge(other, 1), idle)).left[0] == 99
    await charging.charge(Charge(bucket(Window.MINUTE, 1000, key="i"), 1))
    assert (await refused(charging, Charge(other, 1), idle)).refused.bucket == idle.bucket
    assert await charging.ledger.left([other]) == [99]


async def test_a_window_may_change_at_any_time(charging: Charging) -> None:
    """A deployment's SKU is changed: what was charged counts in the new way, there and back."""
    by_token = bucket(Window.MINUTE, 1000, key="d")
    provisioned = bucket(Window.LEAKY_MINUTE, 1000, key="d")
    await charging.charge(Charge(by_token, 600))
    running = await charging.charge(Charge(by_token, 100))
    assert (await charging.ledger.left([provisioned]))[0] == pytest.approx(300, abs=20)
    await charging.settled(running, [150])  # more than was thought counts there too
    held = await charging.charge(Charge(provisioned, 400))
    assert held.left[0] == pytest.approx(-150, abs=30)
    assert (await refused(charging, Charge(by_token, 1))).left[0] <= 0
    await charging.settled(held, [300])
    assert (await refused(charging, Charge(by_token, 1))).left[0] <= 0
    small = bucket(Window.LEAKY_MINUTE, 10, key="d")
    problem = await refused(charging, Charge(small, 1))
    assert problem.refused.wait_s == pytest.approx(60, abs=2)


async def test_the_length_of_a_window_may_change_at_any_time(charging: Charging) -> None:
    """What was charged counts as of then, there and back; what is settled changes nothing of it."""
    short = bucket(Window.SECOND, 10, "requests", key="d")
    long = bucket(Window.TEN_SECONDS, 20, "requests", key="d")
    held = await charging.charge(Charge(long, 7))
    assert (await charging.charge(Charge(short, 2))).left == [1]
    assert 0.9 < (await refused(charging, Charge(short, 2))).refused.wait_s <= 1
    await charging.settled(held, [0])
    assert await charging.ledger.left([short]) == [1]
    running = await charging.charge(Charge(short, 1))
    assert (await charging.charge(Charge(long, 5))).left == [5]
    await charging.settled(running, [3])  # more than was thought counts there too
    problem = await refused(charging, Charge(long, 4))
    assert (problem.left, problem.refused.wait_s) == ([3], pytest.approx(10, abs=0.3))


async def test_money_is_counted_to_the_billionth(charging: Charging) -> None:
    """Of budgets of a million."""
    one = bucket(Window.MONTH, 10**15, "cost")
    held = await charging.charge(Charge(one, 10**14 + 1), Charge(bucket(Window.HELD), 1))
    assert held.left == [9 * 10**14 - 1, 99]
    await charging.settled(held, [3, 0])
    assert await charging.ledger.left([one, bucket(Window.HELD)]) == [10**15 - 3, 100]


@pytest.mark.parametrize("window", [Window.MINUTE, Window.DAY, Window.HELD])
async def test_what_comes_together_is_never_over(charging: Charging, window: Window) -> None:
    """Exactly as many as fit, however many come at once."""
    one, other = bucket(window), bucket(Window.MONTH, 10_000)

    async def attempt() -> bool:
        try:
            held = await charging.charge(Charge(one, 7), Charge(other, 1))
        except DoesNotFit:
            return False
        await asyncio.sleep(0)
        await charging.settled(held, [7, 1])
        return True

    admitted = sum(await asyncio.gather(*(attempt() for _ in range(100))))
    assert admitted == 14
    assert await charging.ledger.left([one, other]) == [2, 10_000 - 14]


async def test_who_gives_up_is_not_charged(charging: Charging) -> None:
    """A request whose client left while the ledger was asked."""
    one, place = bucket(Window.DAY), bucket(Window.HELD, 1)
    for _ in range(20):
        waiting = asyncio.ensure_future(
            charging.ledger.reserve([Charge(one, 10), Charge(place, 1)])
        )
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        if not waiting.cancelled():
            await charging.settled(waiting.result(), [0, 0])
    assert await charging.ledger.left([one, place]) == [100, 1]
