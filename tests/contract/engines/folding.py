"""Requests, and answers folded as the gateway folds them, with the order of events checked."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.chat import ChatAsk, ChatEvent, TokenLogprob
from linarite.domain.completion import CompletionAsk, CompletionEvent

if TYPE_CHECKING:
    from linarite.domain.engine import Capabilities, Engine
    from linarite.domain.usage import Usage

    Started = tuple[Engine, Capabilities]

SHORT = 24
"""tokens that a test lets a model generate"""


class FoldedCall(msgspec.Struct):
    """A whole call."""

    id: str = ""
    name: str = ""
    arguments: str = ""


class FoldedChoice(msgspec.Struct):
    """A whole choice of a chat."""

    role: str = ""
    content: str = ""
    calls: dict[int, FoldedCall] = msgspec.field(default_factory=dict)
    old_call: FoldedCall = msgspec.field(default_factory=FoldedCall)
    """the one call of the form that came before tools; it has no id"""
    logprobs: list[TokenLogprob] = msgspec.field(default_factory=list)
    finish: str = ""


class FoldedCompletion(msgspec.Struct):
    """A whole choice of a completion."""

    text: str = ""
    finish: str = ""
    tokens: list[str] = msgspec.field(default_factory=list)
    token_logprobs: list[float | None] = msgspec.field(default_factory=list)
    tops: list[dict[str, float] | None] = msgspec.field(default_factory=list)
    offsets: list[int] = msgspec.field(default_factory=list)


def chat_ask(text: str | list[dict[str, Any]], **fields: object) -> ChatAsk:
    """A short chat that is as reproducible as the engine can make it."""
    messages = [{"role": "user", "content": text}] if isinstance(text, str) else text
    settled = {"seed": 1, "temperature": 0.0, "max_tokens": SHORT}
    return msgspec.convert({"messages": messages, **settled, **fields}, ChatAsk)


def completion_ask(prompt: object, **fields: object) -> CompletionAsk:
    """A short completion that is as reproducible as the engine can make it."""
    settled = {"seed": 1, "temperature": 0.0, "max_tokens": SHORT}
    return msgspec.convert({"prompt": prompt, **settled, **fields}, CompletionAsk)


async def chat(engine: Engine, ask: ChatAsk) -> tuple[dict[int, FoldedChoice], Usage]:
    """Fold a chat. Fails where events come in an order that the port does not allow."""
    choices: dict[int, FoldedChoice] = {}
    events = [event async for event in engine.chat(ask)]
    for event in events:
        for news in event.choices:
            _add(choices.setdefault(news.index, FoldedChoice()), news)
    for choice in choices.values():
        assert choice.role == "assistant"
        assert choice.finish
    return choices, usage_of(events)


def _add(choice: FoldedChoice, news: Any) -> None:  # noqa: ANN401 - a ChatChoice
    assert not choice.finish, "a choice went on after its end"
    delta = news.delta
    if delta.role:
        assert not choice.content, "the role came after content"
        assert not choice.calls, "the role came after a call"
        choice.role = delta.role
    choice.content += delta.content or ""
    if delta.function_call:
        assert not (choice.old_call.name and delta.function_call.name), "a name comes once"
        choice.old_call.name += delta.function_call.name or ""
        choice.old_call.arguments += delta.function_call.arguments or ""
    for piece in delta.tool_calls or []:
        call = choice.calls.setdefault(piece.index, FoldedCall())
        assert bool(piece.id) != bool(call.id), "a call's id comes once, with its first piece"
        assert piece.type == ("function" if piece.id else None)
        call.id = call.id or piece.id or ""
        if piece.function:
            assert not (call.name and piece.function.name), "a call's name comes once"
            call.name = call.name or piece.function.name or ""
            call.arguments += piece.function.arguments or ""
    if news.logprobs:
        choice.logprobs += news.logprobs.content or []
    choice.finish = news.finish_reason or ""


async def complete(engine: Engine, ask: CompletionAsk) -> tuple[dict[int, FoldedCompletion], Usage]:
    """Fold a completion."""
    choices: dict[int, FoldedCompletion] = {}
    events = [event async for event in engine.complete(ask)]
    for event in events:
        for news in event.choices:
            choice = choices.setdefault(news.index, FoldedCompletion())
            assert not choice.finish, "a choice went on after its end"
            choice.text += news.text
            choice.finish = news.finish_reason or ""
            if news.logprobs:
                choice.tokens += news.logprobs.tokens
                choice.token_logprobs += news.logprobs.token_logprobs
                choice.tops += news.logprobs.top_logprobs or []
                choice.offsets += news.logprobs.text_offset
    assert all(choice.finish for choice in choices.values())
    return choices, usage_of(events)


def usage_of(events: list[ChatEvent] | list[CompletionEvent]) -> Usage:
    """The whole answer's counts, in the last event; those on the way only grow up to them."""
    assert all(event.choices or event.usage for event in events), "an event says nothing"
    seen = [event.usage for event in events if event.usage is not None]
    usage = events[-1].usage
    assert usage is not None
    for counts, later in pairwise(seen):
        assert counts.prompt_tokens <= later.prompt_tokens
        assert counts.completion_tokens <= later.completion_tokens
    assert usage.prompt_tokens > 0
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert 0 <= usage.cached_tokens <= usage.prompt_tokens
    return usage


def is_logprob(value: float | None) -> bool:
    """Whether it is the log of a probability."""
    # Rounding may bring a certain token a hair above 0.
    return value is not None and not math.isnan(value) and value <= 1e-4
