"""Chat: the ask as the upstream wants it, its answer as our events."""

from __future__ import annotations

from typing import Any

import msgspec

from linarite.domain.chat import (
    ChatAsk,
    ChatChoice,
    ChatDelta,
    ChatEvent,
    ChoiceLogprobs,
    FinishReason,
    StreamOptions,
)
from linarite.domain.usage import Usage
from linarite.engines.upstream.refusals import error_in_stream, error_object, failed
from linarite.engines.upstream.tidy import decode_tidily

_NOTHING_NEW = ChatDelta()


class WholeChoice(msgspec.Struct, frozen=True):
    """A choice of an answer that was not streamed."""

    message: ChatDelta
    index: int = 0
    finish_reason: FinishReason | None = None
    logprobs: ChoiceLogprobs | None = None
    content_filter_results: dict[str, Any] | None = None


class WholeChat(msgspec.Struct, frozen=True):
    """An answer that was not streamed."""

    choices: list[WholeChoice] = []
    usage: Usage | None = None
    prompt_filter_results: list[Any] | None = None


class ErrorAnswer(msgspec.Struct, frozen=True):
    """An error where an answer should be; `null` stands for none."""

    error: Any = None


_encode = msgspec.json.encode
_ERRORS = msgspec.json.Decoder(ErrorAnswer)
_EVENTS = msgspec.json.Decoder(ChatEvent)
_WHOLES = msgspec.json.Decoder(WholeChat)


def chat_body(ask: ChatAsk, model: str | None) -> bytes:
    """The body to send. A stream always asks for usage: without it nobody could be charged."""
    options = ask.stream_options
    if not ask.stream:
        return _encode(ask if model == ask.model else msgspec.structs.replace(ask, model=model))
    if options is None or not options.include_usage:
        obfuscation = options.include_obfuscation if options else None
        options = StreamOptions(include_usage=True, include_obfuscation=obfuscation)
    return _encode(msgspec.structs.replace(ask, model=model, stream_options=options))


class ChatReader:
    """Turns what comes into events. One for each answer."""

    __slots__ = ("_finished", "_usage")

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._finished = False

    def whole(self, body: bytes) -> ChatEvent:
        """The event of an answer that was not streamed. Raises EngineFailed."""
        raise_error_in(body)
        answer = decode_tidily(body, _WHOLES)
        if not answer.choices:
            raise failed("answered without a choice")
        choices = [
            ChatChoice(
                index=choice.index,
                delta=_numbered(choice.message),
                finish_reason=choice.finish_reason or "stop",
                logprobs=choice.logprobs,
                content_filter_results=choice.content_filter_results,
            )
            for choice in answer.choices
        ]
        return ChatEvent(choices, answer.usage, answer.prompt_filter_results)

    def piece(self, payload: bytes) -> ChatEvent | None:
        """The event for a piece of a stream; None when it says nothing for us.

        Raises UpstreamRefused or EngineFailed for an error, EngineFailed for nonsense.
        """
        if b'"error"' in payload:
            raise_error_in(payload)
        event = decode_tidily(payload, _EVENTS)
        choices = event.choices
        if event.usage is not None:
            # Some servers count in every piece; the last count is the whole.
            self._usage = event.usage
            event = ChatEvent(choices, None, event.prompt_filter_results)
        if not choices:
            return event if event.prompt_filter_results else None
        news = False
        for choice in choices:
            if choice.finish_reason is not None:
                self._finished = news = True
            elif (
                choice.delta != _NOTHING_NEW
                or choice.logprobs is not None
                or choice.content_filter_results
                or choice.content_filter_offsets
            ):
                news = True
        return event if news else None

    def last(self, *, ended: bool) -> ChatEvent | None:
        """The event after the last piece: the usage. `ended`: the upstream said that it is done.

        Raises EngineFailed when the answer was cut short.
        """
        if not ended and not self._finished:
            raise failed("broke off its answer")
        return ChatEvent(usage=self._usage) if self._usage is not None else None


def raise_error_in(payload: bytes) -> None:
    """Raise the error that stands where an answer, or a piece of one, should be."""
    # In a JSON text a quote is escaped, so this finds only a field (or a value) of this name.
    if b'"error"' not in payload:
        return
    try:
        found = _ERRORS.decode(payload)
    except (msgspec.DecodeError, RecursionError):
        return
    if found.error:
        raise error_in_stream(error_object(payload))


def _numbered(message: ChatDelta) -> ChatDelta:
    """A whole message as a delta: its tool calls get the index that only deltas have."""
    calls = message.tool_calls
    if not calls:
        return message
    return msgspec.structs.replace(
        message,
        tool_calls=[msgspec.structs.replace(call, index=index) for index, call in enumerate(calls)],
    )
