"""One reply that may call functions: what the model writes, as chat events."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING

from linarite.domain.chat import (
    ChatChoice,
    ChatDelta,
    ChatEvent,
    FunctionDelta,
    ToolCallDelta,
)
from linarite.engines.llamacpp.call_reader import (
    CallArguments,
    CallBegan,
    CallReader,
    Said,
)
from linarite.engines.llamacpp.logprobs import chat_logprobs
from linarite.engines.llamacpp.plain_chat import opening
from linarite.engines.llamacpp.thinking import ThoughtSplitter

if TYPE_CHECKING:
    from linarite.domain.chat import FinishReason
    from linarite.engines.llamacpp.call_reader import Item
    from linarite.engines.llamacpp.generation import Finish, Step
    from linarite.engines.llamacpp.toolbox import Toolbox
    from linarite.engines.llamacpp.wire import TokenProbability

_ID_BYTES = 12


class ToolReply:
    """Takes the steps of one generation and tells them as events of one choice."""

    def __init__(
        self, toolbox: Toolbox, index: int, opening_text: str, *, top_logprobs: int | None
    ) -> None:
        """`opening_text` is the beginning that was put into the model's mouth."""
        self._legacy = toolbox.legacy
        self._index = index
        self._top_logprobs = top_logprobs
        self._thoughts: ThoughtSplitter | None = None
        self._reader = CallReader(toolbox.names, calls_max=toolbox.calls_max)
        # Never more than the beginning of a call, so there is nothing to tell yet.
        self._reader.feed(opening_text)
        self._untold: list[TokenProbability] = []
        """probabilities of tokens that are still held back"""
        self._opened = False

    def expect_thoughts(self, *, begun: bool) -> None:
        """The reply may begin with a thought, or the prompt has begun it."""
        self._thoughts = ThoughtSplitter(thinking=begun)

    @property
    def complete(self) -> bool:
        """Nothing that could follow would be told."""
        return self._reader.complete

    @property
    def calls_unknown(self) -> bool:
        """All of it was a call of a function that does not exist. Nothing was told of it."""
        return bool(self._reader.unknown_call)

    def take(self, step: Step) -> list[ChatEvent]:
        """The events that a step makes certain."""
        if self._top_logprobs is not None:
            self._untold += step.probabilities
        if self._thoughts is None:
            return self._told("", self._reader.feed(step.text))
        thought, text = self._thoughts.feed(step.text)
        return self._told(thought, self._reader.feed(text) if text else [])

    def finish(self) -> list[ChatEvent]:
        """The events of what was held back to the end."""
        if self._thoughts is None:
            return self._told("", self._reader.finish())
        thought, text = self._thoughts.finish()
        return self._told(thought, [*self._reader.feed(text), *self._reader.finish()])

    def ending(self, finish: Finish) -> list[ChatEvent]:
        """The last events."""
        reason: FinishReason = finish
        if self._reader.calls and (finish == "stop" or self._reader.complete):
            reason = "function_call" if self._legacy else "tool_calls"
        end = ChatEvent([ChatChoice(self._index, ChatDelta(), reason)])
        return [end] if self._opened else [opening(self._index), end]

    def _told(self, thought: str, items: list[Item]) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        if thought:
            events.append(self._event(ChatDelta(reasoning_content=thought)))
        for item in items:
            if isinstance(item, Said):
                events.append(self._text_event(item.text))
            else:
                self._untold = []
                events.append(self._event(self._call_delta(item)))
        if events and not self._opened:
            self._opened = True
            first_is_call = events[0].choices[0].delta.content is None and not thought
            events.insert(0, opening(self._index, None if first_is_call else ""))
        return events

    def _text_event(self, text: str) -> ChatEvent:
        if self._top_logprobs is None:
            return self._event(ChatDelta(content=text))
        untold, self._untold = self._untold, []
        logprobs = chat_logprobs(untold, self._top_logprobs)
        return ChatEvent([ChatChoice(self._index, ChatDelta(content=text), None, logprobs)])

    def _call_delta(self, item: CallBegan | CallArguments) -> ChatDelta:
        if isinstance(item, CallBegan):
            function = FunctionDelta(name=item.name, arguments="")
        else:
            function = FunctionDelta(arguments=item.text)
        if self._legacy:
            return ChatDelta(function_call=function)
        if isinstance(item, CallArguments):
            return ChatDelta(tool_calls=[ToolCallDelta(index=item.number, function=function)])
        identifier = f"call_{token_hex(_ID_BYTES)}"
        call = ToolCallDelta(index=item.number, id=identifier, type="function", function=function)
        return ChatDelta(tool_calls=[call])

    def _event(self, delta: ChatDelta) -> ChatEvent:
        return ChatEvent([ChatChoice(self._index, delta)])
