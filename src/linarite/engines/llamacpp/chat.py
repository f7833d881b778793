"""Chats: checked, generated choice by choice, and told as events."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.chat import ChatEvent
from linarite.domain.errors import InvalidRequest
from linarite.engines.llamacpp.constraint import Constraint
from linarite.engines.llamacpp.plain_chat import PlainChat
from linarite.engines.llamacpp.tool_prompt import LlamacppToolPrompt
from linarite.engines.text_chat.chat_fold import folded
from linarite.engines.text_chat.fan_out import merged
from linarite.engines.text_chat.tally import Tally
from linarite.engines.text_chat.tool_chat import ToolChat
from linarite.engines.text_chat.toolbox import toolbox_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import ChatAsk
    from linarite.engines.llamacpp.constraint import SchemaCompiler
    from linarite.engines.llamacpp.loaded_model import LoadedModel

_TOP_LOGPROBS_MAX = 20


async def answer_chat(model: LoadedModel, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
    """Answer a chat, all choices at the same time; each event has the counts so far.

    The engine is asked to stream in any case, which costs it nothing: for a whole answer it looks
    at the connection only when a second passes without a result for anybody.
    Raises InvalidRequest, ContextLengthExceeded, EngineFailed, EngineRefusal and HttpClientError.
    """
    if ask.top_logprobs is not None and not 0 <= ask.top_logprobs <= _TOP_LOGPROBS_MAX:
        raise InvalidRequest(
            f"Invalid value for 'top_logprobs': must be between 0 and {_TOP_LOGPROBS_MAX}.",
            param="top_logprobs",
        )
    tally = Tally()
    choices = await _choices(model, ask, tally)
    events = merged(choices, model.options.parallel_requests)
    async with aclosing(events if ask.stream else folded(events)) as told:
        async for event in told:
            yield ChatEvent(event.choices, tally.usage)
    yield ChatEvent([], tally.usage)


async def _choices(
    model: LoadedModel, ask: ChatAsk, tally: Tally
) -> list[AsyncGenerator[ChatEvent, None]]:
    """The choices, not begun yet. What can be refused has been refused then."""
    toolbox = toolbox_of(ask)
    reply_rule = _reply_rule(ask, model.schemas)
    constraint = (
        None if reply_rule is None else Constraint(f"answer: {reply_rule}\n", "response_format")
    )
    if constraint is not None:
        await model.trials.require(constraint)
    chat = plain = PlainChat(model, ask, tally, constraint)
    await plain.prepare()
    if toolbox is not None:
        prompt = LlamacppToolPrompt(model, ask, toolbox)
        await prompt.prepare(reply_rule)
        chat = ToolChat(ask, toolbox, prompt, tally, plain, model.options)
    return [chat.choice(index) for index in range(ask.n or 1)]


def _reply_rule(ask: ChatAsk, schemas: SchemaCompiler) -> str | None:
    """The rule for what `response_format` demands; None for free text."""
    wanted = ask.response_format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object" or wanted.json_schema is None:
        return schemas.json_rule(None, strict=False, param="response_format")
    described = wanted.json_schema
    strict = bool(described.strict)
    return schemas.json_rule(described.schema, strict=strict, param="response_format")
