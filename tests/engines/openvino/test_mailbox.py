from __future__ import annotations

import asyncio

import pytest

from linarite.domain.errors import RequestTimedOut
from linarite.engines.openvino.mailbox import Mailbox

pytestmark = pytest.mark.anyio
LONG_S = 60.0


async def test_words_come_in_order_whether_awaited_or_not() -> None:
    """Those that were there before, and one that comes while somebody waits."""
    with Mailbox[int]() as mailbox:
        mailbox.put(1)
        mailbox.put(2)
        assert [await mailbox.take(LONG_S), await mailbox.take(LONG_S)] == [1, 2]
        asyncio.get_running_loop().call_soon(mailbox.put, 3)
        assert await mailbox.take(LONG_S) == 3


async def test_each_word_has_its_own_deadline() -> None:
    """One timer rings for a deadline that has moved on, and again when it has passed."""
    loop = asyncio.get_running_loop()
    with Mailbox[int]() as mailbox:
        began = loop.time()
        for word in range(4):
            loop.call_later(0.05, mailbox.put, word)
            assert await mailbox.take(0.15) == word
        assert loop.time() - began > 0.15
        mailbox.put(9)
        assert await mailbox.take(0.05) == 9
        with pytest.raises(RequestTimedOut):
            await mailbox.take(0.05)


async def test_a_shorter_deadline_follows_a_longer_one() -> None:
    """The timer for the first would ring too late for the second."""
    with Mailbox[int]() as mailbox:
        asyncio.get_running_loop().call_soon(mailbox.put, 1)
        assert await mailbox.take(LONG_S) == 1
        async with asyncio.timeout(LONG_S / 2):
            with pytest.raises(RequestTimedOut):
                await mailbox.take(0.02)


async def test_who_stops_waiting_takes_nothing() -> None:
    """The word is there for the next."""
    with Mailbox[int]() as mailbox:
        waiting = asyncio.create_task(mailbox.take(LONG_S))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        mailbox.put(1)
        assert await mailbox.take(LONG_S) == 1
