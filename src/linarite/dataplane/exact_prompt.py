"""Counting a prompt before it is refused for good: an estimate is more than the truth.

The estimate of a prompt is a bound from above, so that nothing goes beyond a limit. Where it is
more than a whole limit, and so no wait would help, the engine is asked what the prompt really has,
if it can tell. That is one more question to its process, and none for requests that fit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from linarite.dataplane.content_notes import FollowedReply
from linarite.domain.engine import CountsPrompts
from linarite.domain.errors import LinariteError

if TYPE_CHECKING:
    from linarite.dataplane.call import Reply
    from linarite.dataplane.pipeline import Place
    from linarite.domain.chat import ChatAsk
    from linarite.domain.quota_errors import RateLimitReached

OVER_MAX = 8
"""a prompt whose estimate is more than so many limits is over one in truth"""


@runtime_checkable
class CountablePrompt(Protocol):
    """A reply whose prompt an engine can count."""

    @property
    def prompt(self) -> ChatAsk:
        """What a model reads."""
        ...

    def tell_prompt_tokens(self, count: int) -> None:
        """It has been counted: its price is that from now on."""
        ...


async def count_prompt(refused: RateLimitReached, reply: Reply, place: Place) -> None:
    """Have the engine count it in its turn. Raises `refused` where that would be in vain."""
    limited, inner = refused.refused, reply.inner if isinstance(reply, FollowedReply) else reply
    estimated = limited.bucket.measure in ("tokens", "cost") and math.isinf(limited.wait_s)
    hopeless = limited.charged > OVER_MAX * limited.bucket.limit
    if not estimated or hopeless or not isinstance(inner, CountablePrompt):
        raise refused
    before = inner.price().prompt_tokens
    try:
        slot = place.take() or await place.enter()
        try:
            if not slot.capabilities.chat_completion or not isinstance(slot.engine, CountsPrompts):
                raise refused
            count = await slot.engine.prompt_tokens(inner.prompt)
        finally:
            place.leave()
    except LinariteError:
        raise refused from None
    if count >= before:
        raise refused
    inner.tell_prompt_tokens(count)
