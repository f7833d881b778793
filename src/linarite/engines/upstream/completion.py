"""Legacy completions: the ask as the upstream wants it, its answer as our events."""

from __future__ import annotations

import msgspec

from linarite.domain.chat import StreamOptions
from linarite.domain.completion import CompletionAsk, CompletionEvent
from linarite.domain.usage import Usage  # noqa: TC001 - beside the other types of the domain
from linarite.engines.upstream.chat import raise_error_in
from linarite.engines.upstream.refusals import failed
from linarite.engines.upstream.tidy import decode_tidily

_encode = msgspec.json.encode
_EVENTS = msgspec.json.Decoder(CompletionEvent)


def completion_body(ask: CompletionAsk, model: str | None) -> bytes:
    """The body to send. A stream always asks for usage: without it nobody could be charged."""
    options = StreamOptions(include_usage=True) if ask.stream else ask.stream_options
    return _encode(msgspec.structs.replace(ask, model=model, stream_options=options))


class CompletionReader:
    """Turns what comes into events. One for each answer."""

    __slots__ = ("_finished", "_usage")

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._finished = False

    def whole(self, body: bytes) -> CompletionEvent:
        """The event of an answer that was not streamed. Raises EngineFailed."""
        raise_error_in(body)
        answer = decode_tidily(body, _EVENTS)
        if not answer.choices:
            raise failed("answered without a choice")
        return answer

    def piece(self, payload: bytes) -> CompletionEvent | None:
        """The event for a piece of a stream; None when it says nothing for us.

        Raises UpstreamRefused or EngineFailed for an error, EngineFailed for nonsense.
        """
        raise_error_in(payload)
        event = decode_tidily(payload, _EVENTS)
        choices = event.choices
        if event.usage is not None:
            # Some servers count in every piece; the last count is the whole.
            self._usage = event.usage
            event = CompletionEvent(
                choices=choices, prompt_filter_results=event.prompt_filter_results
            )
        news = event.prompt_filter_results is not None
        for choice in choices:
            if choice.finish_reason is not None:
                self._finished = news = True
            elif (
                choice.text
                or choice.logprobs is not None
                or choice.content_filter_results
                or choice.content_filter_offsets
            ):
                news = True
        return event if news else None

    def last(self, *, ended: bool) -> CompletionEvent | None:
        """The event after the last piece: the usage. `ended`: the upstream said that it is done.

        Raises EngineFailed when the answer was cut short.
        """
        if not ended and not self._finished:
            raise failed("broke off its answer")
        return CompletionEvent(usage=self._usage) if self._usage is not None else None
