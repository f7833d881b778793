"""The events of a stream made one, for callers who do not stream."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from linarite.domain.chat import (
    ChatChoice,
    ChatDelta,
    ChatEvent,
    ChoiceLogprobs,
    FunctionDelta,
    ToolCallDelta,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.domain.chat import FinishReason, TokenLogprob


async def folded(events: AsyncGenerator[ChatEvent, None]) -> AsyncGenerator[ChatEvent, None]:
    """Yield one event that holds every choice, whole, in order.

    Before it comes an empty one for each event: an answer that breaks off has its counts then.
    """
    choices: dict[int, _Choice] = {}
    async with aclosing(events):
        async for event in events:
            for choice in event.choices:
                choices.setdefault(choice.index, _Choice()).add(choice)
            yield ChatEvent([])
    yield ChatEvent([choices[index].whole(index) for index in sorted(choices)])


class _Choice:
    def __init__(self) -> None:
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[_Call] = []
        self._legacy_call: _Call | None = None
        self._logprobs: list[TokenLogprob] | None = None
        self._finish: FinishReason | None = None

    def add(self, choice: ChatChoice) -> None:
        delta = choice.delta
        if delta.content:
            self._texts.append(delta.content)
        if delta.reasoning_content:
            self._thoughts.append(delta.reasoning_content)
        for call in delta.tool_calls or ():
            if call.id is not None:
                self._calls.append(_Call(call.id))
            self._calls[call.index].add(call.function)
        if delta.function_call is not None:
            self._legacy_call = self._legacy_call or _Call("")
            self._legacy_call.add(delta.function_call)
        if choice.logprobs is not None and choice.logprobs.content:
            self._logprobs = [*(self._logprobs or ()), *choice.logprobs.content]
        self._finish = choice.finish_reason or self._finish

    def whole(self, index: int) -> ChatChoice:
        called = bool(self._calls or self._legacy_call)
        delta = ChatDelta(
            role="assistant",
            content="".join(self._texts) or (None if called else ""),
            reasoning_content="".join(self._thoughts) or None,
            tool_calls=[
                ToolCallDelta(at, call.identifier, "function", call.whole())
                for at, call in enumerate(self._calls)
            ]
            or None,
            function_call=self._legacy_call.whole() if self._legacy_call else None,
        )
        logprobs = None if self._logprobs is None else ChoiceLogprobs(content=self._logprobs)
        return ChatChoice(index, delta, self._finish, logprobs)


class _Call:
    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._name = ""
        self._arguments: list[str] = []

    def add(self, function: FunctionDelta | None) -> None:
        if function is not None:
            self._name = function.name or self._name
            self._arguments.append(function.arguments or "")

    def whole(self) -> FunctionDelta:
        return FunctionDelta(name=self._name, arguments="".join(self._arguments))
