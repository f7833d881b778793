"""Chats in which nothing can be called.

The engine renders the template itself, unless a message spells a special token.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.engines.llamacpp.generation import CHAT, COMPLETION, Generation, Step
from linarite.engines.llamacpp.wire import CHUNK_FIELDS
from linarite.engines.text_chat.logprobs import chat_logprobs
from linarite.engines.text_chat.messages import template_messages
from linarite.engines.text_chat.opening import opening
from linarite.engines.text_chat.room import require_room
from linarite.engines.text_chat.thinking import ThoughtSplitter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.engines.llamacpp.constraint import Constraint
    from linarite.engines.llamacpp.loaded_model import LoadedModel
    from linarite.engines.text_chat.tally import Tally


class PlainChat:
    """A chat whose replies are text, or JSON. `prepare` once, then `choice` for each choice."""

    def __init__(
        self, model: LoadedModel, ask: ChatAsk, tally: Tally, constraint: Constraint | None
    ) -> None:
        self._model = model
        self._ask = ask
        self._tally = tally
        self._top = ask.top_logprobs or 0
        self._messages = template_messages(ask.messages, calls="words")
        require_room(sum(len(each["content"]) for each in self._messages), model.context_tokens)
        self._endpoint = CHAT
        self._begins_thinking = False
        self._fields: dict[str, Any] = {}
        if constraint is not None:
            self._fields["grammar"] = constraint.grammar

    async def prepare(self) -> None:
        """Decide who renders the template."""
        ask, special_text = self._ask, self._model.special_text
        if special_text.is_in(self._messages):
            prompt = await special_text.render({"messages": self._messages})
            self._endpoint = COMPLETION
            self._begins_thinking = prompt.begins_thinking
            limit = ask.completion_tokens_max
            self._fields |= {
                "prompt": prompt.as_sent,
                "n_predict": -1 if limit is None else limit,
                "response_fields": CHUNK_FIELDS,
            }
            if ask.logprobs:
                self._fields["n_probs"] = max(1, self._top)
            return
        self._fields |= {"messages": self._messages, "stream_options": {"include_usage": True}}
        if ask.completion_tokens_max is not None:
            self._fields["max_tokens"] = ask.completion_tokens_max
        if ask.logprobs:
            self._fields |= {"logprobs": True, "top_logprobs": max(1, self._top)}

    async def choice(self, index: int, *, begun: bool = False) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice; `begun` when its role has been told."""
        sampling = self._model.sampling(self._ask, index)
        generation = Generation(self._model.client, self._endpoint, {**self._fields, **sampling})
        with self._tally.counting(generation):
            async with aclosing(self._steps(generation)) as steps:
                async for step in steps:
                    if not begun:
                        begun = True
                        yield opening(index)
                    yield self._event(index, step)
        if not begun:
            yield opening(index)
        yield ChatEvent([ChatChoice(index, ChatDelta(), generation.finish)])

    def _steps(self, generation: Generation) -> AsyncGenerator[Step, None]:
        """The steps, with thoughts told apart from the reply."""
        limit = self._ask.completion_tokens_max or 0
        steps = generation.steps(self._model.context_tokens, limit)
        # The chat endpoint tells them apart by itself.
        return steps if self._endpoint is CHAT else self._split(steps)

    async def _split(self, steps: AsyncGenerator[Step, None]) -> AsyncGenerator[Step, None]:
        thoughts = ThoughtSplitter(thinking=self._begins_thinking)
        async with aclosing(steps):
            async for step in steps:
                thought, text = thoughts.feed(step.text)
                if thought or text or step.probabilities:
                    yield step._replace(reasoning=thought, text=text)
        thought, text = thoughts.finish()
        if thought or text:
            yield Step(text=text, reasoning=thought)

    def _event(self, index: int, step: Step) -> ChatEvent:
        delta = ChatDelta(content=step.text or None, reasoning_content=step.reasoning or None)
        if not self._ask.logprobs:
            return ChatEvent([ChatChoice(index, delta)])
        logprobs = chat_logprobs(step.probabilities, self._top)
        return ChatEvent([ChatChoice(index, delta, None, logprobs)])
