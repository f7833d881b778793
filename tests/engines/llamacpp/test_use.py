"""The engine's process says how it stands."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from linarite.domain.engine import Measured
from tests.engines.llamacpp.real_engine import chat_ask

if TYPE_CHECKING:
    from linarite.engines.llamacpp.engine import LlamacppEngine

pytestmark = [pytest.mark.anyio, pytest.mark.real_model]


async def test_a_running_reply_is_in_use(engine: LlamacppEngine) -> None:
    """It has a slot, a share of the context, and its tokens are counted while they come."""
    assert isinstance(engine, Measured)
    before = await engine.use()
    assert before.slots == 2
    ask = chat_ask("Count.", stream=True, logit_bias={"0": -100, "2": -100})
    async with aclosing(engine.chat(ask)) as events:
        for _ in range(8):
            await anext(events)
        during = await engine.use()
    assert during.slots_busy >= 1
    assert 0 < (during.kv_cache_share or 0) < 1
    assert (during.prompt_tokens or 0) > (before.prompt_tokens or 0)
    assert (during.generated_tokens or 0) >= (before.generated_tokens or 0) + 5
