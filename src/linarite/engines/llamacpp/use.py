"""How much of llama.cpp is in use, from what its server shows: slots, and counters as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.domain.engine import EngineUse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.engines.llamacpp.wire import SlotState

COUNTER = re.compile(r"^llamacpp:(\w+) ([0-9.e+]+)$", re.MULTILINE)


def use_of(slots: Sequence[SlotState], counted: str) -> EngineUse:
    """Both together. Its counters grow when a reply is over; what runs is in its slots."""
    counters = {name: float(value) for name, value in COUNTER.findall(counted)}
    busy = [slot for slot in slots if slot.is_processing]
    room = sum(slot.n_ctx for slot in slots)
    decoding = sum(token.n_decoded for slot in busy for token in slot.next_token)
    return EngineUse(
        slots=len(slots),
        slots_busy=len(busy),
        kv_cache_share=sum(slot.n_prompt_tokens for slot in busy) / room if room else 0.0,
        prompt_tokens=int(counters.get("prompt_tokens_total", 0)),
        generated_tokens=int(counters.get("tokens_predicted_total", 0)) + decoding,
    )
