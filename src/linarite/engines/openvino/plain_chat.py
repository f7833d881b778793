"""Chats in which nothing can be called."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.chat import ChatChoice, ChatDelta, ChatEvent
from linarite.engines.openvino.generation import Generation
from linarite.engines.openvino.messages import ChatPrompt
from linarite.engines.openvino.sampling import sampling_of
from linarite.engines.text_chat.logprobs import chat_logprobs
from linarite.engines.text_chat.messages import template_messages
from linarite.engines.text_chat.opening import opening
from linarite.engines.text_chat.room import require_room
from linarite.engines.text_chat.stops import stops_of
from linarite.engines.text_chat.thinking import ThoughtSplitter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.engines.openvino.loaded_model import LoadedModel
    from linarite.engines.openvino.messages import Step
    from linarite.engines.openvino.shapes import Constraint
    from linarite.engines.text_chat.tally import Tally


class PlainChat:
    """A chat whose replies are text, or JSON."""

    def __init__(
        self, model: LoadedModel, ask: ChatAsk, tally: Tally, constraint: Constraint | None
    ) -> None:
        self._model = model
        self._ask = ask
        self._tally = tally
        self._constraint = constraint
        self._stops = stops_of(ask.stop)
        messages = template_messages(ask.messages, calls="words")
        require_room(sum(len(each["content"]) for each in messages), model.context_tokens)
        self._prompt = ChatPrompt(messages, skip_thoughts=constraint is not None)

    async def choice(self, index: int, *, begun: bool = False) -> AsyncGenerator[ChatEvent, None]:
        """Generate one choice; `begun` when its role has been told."""
        sampling = sampling_of(self._ask, index)
        generation = Generation(self._model, self._prompt, sampling, self._constraint)
        generation.tokens_max = self._ask.completion_tokens_max
        generation.stops = self._stops
        generation.logprobs = bool(self._ask.logprobs)
        thoughts: ThoughtSplitter | None = None
        with self._tally.counting(generation):
            async with aclosing(generation.steps()) as steps:
                async for step in steps:
                    if thoughts is None:
                        thoughts = ThoughtSplitter(thinking=generation.thinking)
                    if not begun:
                        begun = True
                        yield opening(index)
                    delta = _delta(thoughts, step)
                    if delta.content or delta.reasoning_content or step.probabilities:
                        yield self._event(index, delta, step)
        yield ChatEvent([ChatChoice(index, ChatDelta(), generation.finish)])

    def _event(self, index: int, delta: ChatDelta, step: Step) -> ChatEvent:
        if not self._ask.logprobs:
            return ChatEvent([ChatChoice(index, delta)])
        logprobs = chat_logprobs(step.probabilities, 0)
        return ChatEvent([ChatChoice(index, delta, None, logprobs)])


def _delta(thoughts: ThoughtSplitter, step: Step) -> ChatDelta:
    thought, text = thoughts.feed(step.text)
    if step.finish is not None:
        last_thought, last_text = thoughts.finish()
        thought, text = thought + last_thought, text + last_text
    return ChatDelta(content=text or None, reasoning_content=thought or None)
