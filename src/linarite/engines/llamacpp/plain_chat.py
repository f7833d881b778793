"""Chats in which nothing can be called: the engine renders the template itself."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.engines.llamacpp.generation import CHAT, Generation
from linarite.engines.llamacpp.sampling import sampling_of
from linarite.engines.text_chat.logprobs import chat_logprobs
from linarite.engines.text_chat.messages import template_messages
from linarite.engines.text_chat.opening import opening
from linarite.engines.text_chat.room import require_room

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.engines.llamacpp.constraint import Constraint
    from linarite.engines.llamacpp.generation import Step
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.llamacpp.tally import Tally


class PlainChat:
    """A chat whose replies are text, or JSON."""

    def __init__(
        self, model: LoadedModel, ask: ChatAsk, tally: Tally, constraint: Constraint | None
    ) -> None:
        self._model = model
        self._ask = ask
        self._tally = tally
        self._top = ask.top_logprobs or 0
        messages = template_messages(ask.messages, calls="words")
        require_room(sum(len(each["content"]) for each in messages), model.context_tokens)
        self._fields: dict[str, Any] = {
            "messages": messages,
            "stream_options": {"include_usage": True},
        }
        if ask.completion_tokens_max is not None:
            self._fields["max_tokens"] = ask.completion_tokens_max
        if ask.logprobs:
            self._fields |= {"logprobs": True, "top_logprobs": max(1, self._top)}
        if constraint is not None:
            self._fields["grammar"] = constraint.grammar

    async def choice(self, index: int, *, begun: bool = False) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice; `begun` when its role has been told."""
        sampling = sampling_of(self._ask, self._model.options, index)
        generation = Generation(self._model.client, CHAT, {**self._fields, **sampling})
        limit = self._ask.completion_tokens_max or 0
        with self._tally.counting(generation):
            async with aclosing(generation.steps(self._model.context_tokens, limit)) as steps:
                async for step in steps:
                    if not begun:
                        begun = True
                        yield opening(index)
                    yield self._event(index, step)
        if not begun:
            yield opening(index)
        yield ChatEvent([ChatChoice(index, ChatDelta(), generation.finish)])

    def _event(self, index: int, step: Step) -> ChatEvent:
        delta = ChatDelta(content=step.text or None, reasoning_content=step.reasoning or None)
        if not self._ask.logprobs:
            return ChatEvent([ChatChoice(index, delta)])
        logprobs = chat_logprobs(step.probabilities, self._top)
        return ChatEvent([ChatChoice(index, delta, None, logprobs)])
