"""Chat replies as events: one for each token when streamed, else one for each choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from linarite.domain.chat import (
    ChatChoice,
    ChatDelta,
    ChatEvent,
    ChoiceLogprobs,
    FunctionDelta,
    ToolCallDelta,
)
from linarite.domain.usage import usage_of
from linarite.engines.simulator.logprobs import token_logprob
from linarite.engines.simulator.tokens import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.engines.simulator.dice import Dice
    from linarite.engines.simulator.reply import CallTokens, Reply
    from linarite.engines.simulator.steps import Steps


class Likelihoods:
    """Log-probabilities of a request's choices, each choice with draws of its own."""

    def __init__(self, top: int, draws: list[Dice]) -> None:
        self._top = top
        self._draws = draws

    def of(self, index: int, tokens: list[str]) -> ChoiceLogprobs:
        """Those of the next tokens of a choice."""
        dice = self._draws[index]
        return ChoiceLogprobs(content=[token_logprob(t, self._top, dice) for t in tokens])


def streamed(
    replies: list[Reply], prompt_tokens: int, logprobs: Likelihoods | None
) -> Steps[ChatEvent]:
    """Roles first, then a token of each choice in turn, ends as they come, the final counts last.

    Each event has the counts so far.
    """
    for index, reply in enumerate(replies):
        delta = ChatDelta("assistant", "" if reply.content else None)
        yield 0, ChatEvent([ChatChoice(index, delta)], usage_of(prompt_tokens, 0))
    if len(replies) == 1 and not replies[0].calls and logprobs is None:
        yield from _single_text(replies[0], prompt_tokens)
    else:
        yield from _in_turn(replies, prompt_tokens, logprobs)
    yield 0, _counts(replies, prompt_tokens)


def _single_text(reply: Reply, prompt_tokens: int) -> Steps[ChatEvent]:
    """The common case, with as little work for each token as there can be."""
    gaps = 0
    for tokens, token in enumerate(reply.content, 1):
        usage = usage_of(prompt_tokens, tokens)
        yield gaps, ChatEvent([ChatChoice(0, ChatDelta(None, token))], usage)
        gaps = 1
    yield 0, _end(0, reply)


def _in_turn(
    replies: list[Reply], prompt_tokens: int, logprobs: Likelihoods | None
) -> Steps[ChatEvent]:
    running = {index: _pieces(index, reply, logprobs) for index, reply in enumerate(replies)}
    gaps = tokens = 0
    while running:
        # Choices grow side by side: one gap goes by for a token of each.
        for index, pieces in list(running.items()):
            piece = next(pieces, None)
            if piece is None:
                del running[index]
                yield 0, _end(index, replies[index])
            else:
                tokens += piece.tokens
                choice = ChatChoice(index, piece.delta, None, piece.logprobs)
                yield gaps, ChatEvent([choice], usage_of(prompt_tokens, tokens))
                gaps = 0
        gaps = 1


def _end(index: int, reply: Reply) -> ChatEvent:
    return ChatEvent([ChatChoice(index, ChatDelta(), reply.finish)])


def _counts(replies: list[Reply], prompt_tokens: int) -> ChatEvent:
    return ChatEvent([], usage_of(prompt_tokens, sum(reply.tokens for reply in replies)))


class _Piece(NamedTuple):
    delta: ChatDelta
    logprobs: ChoiceLogprobs | None = None
    tokens: int = 1


def _pieces(index: int, reply: Reply, logprobs: Likelihoods | None) -> Iterator[_Piece]:
    for token in reply.content:
        likely = logprobs.of(index, [token]) if logprobs else None
        yield _Piece(ChatDelta(content=token), likely)
    for at, call in enumerate(reply.calls):
        yield _Piece(_call_delta(reply, at, call, ""), None, count(call.name))
        for token in call.arguments:
            yield _Piece(_arguments_delta(reply, at, token))


def _call_delta(reply: Reply, at: int, call: CallTokens, arguments: str) -> ChatDelta:
    function = FunctionDelta(name=call.name, arguments=arguments)
    if reply.legacy:
        return ChatDelta(function_call=function)
    return ChatDelta(
        tool_calls=[ToolCallDelta(index=at, id=call.id, type="function", function=function)]
    )


def _arguments_delta(reply: Reply, at: int, token: str) -> ChatDelta:
    function = FunctionDelta(arguments=token)
    if reply.legacy:
        return ChatDelta(function_call=function)
    return ChatDelta(tool_calls=[ToolCallDelta(index=at, function=function)])


def whole(
    replies: list[Reply], prompt_tokens: int, logprobs: Likelihoods | None
) -> Steps[ChatEvent]:
    """One event for each choice, due when the longest is through; usage last."""
    gaps = max(reply.tokens for reply in replies) - 1
    for index, reply in enumerate(replies):
        likely = logprobs.of(index, reply.content) if logprobs and not reply.calls else None
        yield (
            max(0, gaps),
            ChatEvent([ChatChoice(index, _whole_delta(reply), reply.finish, likely)]),
        )
        gaps = 0
    yield 0, _counts(replies, prompt_tokens)


def _whole_delta(reply: Reply) -> ChatDelta:
    if not reply.calls:
        return ChatDelta(role="assistant", content="".join(reply.content))
    calls = [
        _call_delta(reply, at, call, "".join(call.arguments)) for at, call in enumerate(reply.calls)
    ]
    return ChatDelta(
        role="assistant",
        function_call=calls[0].function_call,
        tool_calls=[delta for call in calls for delta in call.tool_calls or []] or None,
    )
