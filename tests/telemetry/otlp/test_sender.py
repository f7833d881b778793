"""What happens to bodies while a collector is away, slow or full of refusals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from linarite.telemetry.otlp import Delivery, OtlpSender

if TYPE_CHECKING:
    from linarite.telemetry.otlp import SignalPath

TAKEN = Delivery(taken=True)
DOWN = Delivery(taken=False, again=True, detail="down")
REFUSED = Delivery(taken=False, detail="bad")


class Desk:
    """An endpoint that answers as it is told, then takes everything."""

    def __init__(self, *answers: Delivery | Exception) -> None:
        self.answers = list(answers)
        self.came: list[bytes] = []
        self.closed = False

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Note it."""
        assert path == "/v1/metrics"
        self.came.append(body)
        await asyncio.sleep(0)
        answer = self.answers.pop(0) if self.answers else TAKEN
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        """Note it."""
        self.closed = True


async def sent(desk: Desk, bodies: list[bytes], bytes_max: int = 1000) -> OtlpSender:
    """Offer all of them, then stop."""
    sender = OtlpSender(desk, bytes_max=bytes_max, pause_first_s=0.01)
    for body in bodies:
        sender.offer("/v1/metrics", body)
    sender.start()
    await sender.stop(5)
    return sender


@pytest.mark.anyio
async def test_what_is_not_taken_is_sent_again_in_order() -> None:
    """Nothing overtakes a body that the collector could not take yet."""
    desk = Desk(DOWN, DOWN, TAKEN, DOWN)
    sender = await sent(desk, [b"1", b"2"])
    assert desk.came == [b"1", b"1", b"1", b"2", b"2"]
    assert (sender.sent, sender.dropped, sender.backlog) == (2, 0, 0)
    assert desk.closed


@pytest.mark.anyio
async def test_what_is_refused_for_good_is_not_sent_again() -> None:
    """It is counted, and those behind it go on."""
    desk = Desk(REFUSED)
    sender = await sent(desk, [b"1", b"2"])
    assert desk.came == [b"1", b"2"]
    assert (sender.sent, sender.dropped) == (1, 1)


@pytest.mark.anyio
async def test_a_fault_of_ours_holds_nothing_up() -> None:
    """The body is counted as dropped, and those behind it go on."""
    desk = Desk(ValueError("a bug"))
    with capture_logs() as logs:
        sender = await sent(desk, [b"1", b"2"])
    assert desk.came == [b"1", b"2"]
    assert (sender.sent, sender.dropped, len(logs)) == (1, 1, 1)


@pytest.mark.anyio
async def test_the_oldest_make_room() -> None:
    """A buffer has its bound in bytes, whatever the collector does."""
    desk = Desk()
    sender = await sent(desk, [bytes([n]) * 400 for n in range(5)], bytes_max=1000)
    assert desk.came == [bytes([3]) * 400, bytes([4]) * 400]
    assert (sender.sent, sender.dropped) == (2, 3)


@pytest.mark.anyio
async def test_a_collector_that_stays_away_does_not_hold_up_the_end() -> None:
    """`stop` gives up, and counts what is lost."""
    desk = Desk(*[DOWN] * 10_000)
    sender = OtlpSender(desk, pause_first_s=0.01)
    sender.offer("/v1/metrics", b"1")
    sender.start()
    async with asyncio.timeout(5):
        await sender.stop(0.1)
    assert (sender.sent, sender.dropped, sender.backlog) == (0, 1, 0)


@pytest.mark.anyio
async def test_a_collector_that_asks_for_time_gets_it() -> None:
    """`Retry-After` counts, not our own pause."""
    desk = Desk(Delivery(taken=False, again=True, wait_s=0.3))
    started = asyncio.get_running_loop().time()
    await sent(desk, [b"1"])
    assert asyncio.get_running_loop().time() - started >= 0.3
