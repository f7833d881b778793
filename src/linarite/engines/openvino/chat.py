"""Chats: checked, generated choice by choice, and told as events."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.chat import ChatEvent
from linarite.engines.openvino.plain_chat import PlainChat
from linarite.engines.openvino.sampling import refuse_biases, unsupported
from linarite.engines.openvino.shapes import Constraint
from linarite.engines.openvino.tool_prompt import OpenvinoToolPrompt
from linarite.engines.text_chat.chat_fold import folded
from linarite.engines.text_chat.fan_out import merged
from linarite.engines.text_chat.tally import Tally
from linarite.engines.text_chat.tool_chat import ToolChat
from linarite.engines.text_chat.toolbox import toolbox_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.engines.openvino.loaded_model import LoadedModel


async def answer_chat(model: LoadedModel, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Answer a chat, all choices at the same time; each event has the counts so far.

    Raises InvalidRequest, ContextLengthExceeded, ServiceUnavailable, EngineFailed and
    RequestTimedOut.
    """
    refuse_biases(ask)
    if ask.top_logprobs:
        raise unsupported("top_logprobs", "Ask for 'logprobs' alone")
    tally = Tally()
    choices = _choices(model, ask, tally)
    events = merged(choices, model.options.parallel_requests)
    async with aclosing(events if ask.stream else folded(events)) as told:
        async for event in told:
            yield ChatEvent(event.choices, tally.usage)
    yield ChatEvent([], tally.usage)


def _choices(
    model: LoadedModel, ask: ChatAsk, tally: Tally
) -> list[AsyncGenerator[ChatEvent, None]]:
    """The choices, not begun yet. What can be refused without the model has been refused then."""
    toolbox = toolbox_of(ask)
    shape = model.shaper.of_format(ask.response_format)
    plain = PlainChat(model, ask, tally, Constraint(shape, "response_format") if shape else None)
    chat = plain
    if toolbox is not None:
        prompt = OpenvinoToolPrompt(model, ask, toolbox)
        chat = ToolChat(ask, toolbox, prompt, tally, plain, model.options)
    return [chat.choice(index) for index in range(ask.n or 1)]
