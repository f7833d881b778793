"""Text completions as events: what is generated, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.completion import CompletionChoice, CompletionEvent, CompletionLogprobs
from linarite.domain.usage import Usage, usage_of
from linarite.engines.simulator.dice import Dice
from linarite.engines.simulator.logprobs import completion_logprobs
from linarite.engines.simulator.reply import TextEnd, cut, prose
from linarite.engines.simulator.tokens import render, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.completion import CompletionAsk, Prompt
    from linarite.engines.simulator.reply import Speaker
    from linarite.engines.simulator.steps import Steps

TOKENS_MAX_DEFAULT = 16
"""what the API says where `max_tokens` is absent"""


class Continuation(msgspec.Struct, frozen=True):
    """One choice, in tokens."""

    prompt: list[str]
    tokens: list[str]
    finish: TextEnd
    dice: Dice
    """for its log-probabilities"""


def prompt_pieces(prompt: Prompt) -> list[str]:
    """A prompt's tokens as texts: cut by the rule, or one made-up word for each id."""
    return split(prompt) if isinstance(prompt, str) else render(prompt)


def continuations(ask: CompletionAsk, speaker: Speaker) -> tuple[list[Continuation], Usage]:
    """All choices in order of prompt and number, and what they cost.

    With `best_of` more are made, and counted, than are given.
    """
    wanted = ask.n or 1
    made = max(wanted, ask.best_of or 1)
    tokens_max = TOKENS_MAX_DEFAULT if ask.max_tokens is None else ask.max_tokens
    chosen: list[Continuation] = []
    prompt_tokens = completion_tokens = 0
    for prompt in ask.prompts:
        pieces = prompt_pieces(prompt)
        candidates = [_continue(ask, speaker, pieces, at, tokens_max) for at in range(made)]
        prompt_tokens += len(pieces)
        completion_tokens += sum(len(candidate.tokens) for candidate in candidates)
        best = Dice(speaker.seed, "best", *pieces).below(made) if made > wanted else 0
        chosen += (candidates[best:] + candidates[:best])[:wanted]
    return chosen, usage_of(prompt_tokens, completion_tokens)


def _continue(
    ask: CompletionAsk, speaker: Speaker, pieces: list[str], number: int, tokens_max: int
) -> Continuation:
    prompt = "".join(pieces)
    dice = Dice(speaker.seed, speaker.model, prompt, ask.suffix or "", ask.seed, number)
    tokens = prose(dice, speaker, tokens_max)
    if not prompt or prompt[-1].isspace():
        tokens[0] = tokens[0][1:]
    stops = [ask.stop] if isinstance(ask.stop, str) else ask.stop or []
    kept, finish = cut(tokens, stops, tokens_max)
    return Continuation(pieces, kept, finish, dice)


def streamed(
    ask: CompletionAsk, choices: list[Continuation], usage: Usage
) -> Steps[CompletionEvent]:
    """The echo of each choice, then a token of each in turn, ends as they come, usage last.

    Each token comes with the counts so far. With `best_of` those that are not given count from the
    beginning: they were made before.
    """
    if ask.echo:
        for index, choice in enumerate(choices):
            yield 0, _event(index, "".join(choice.prompt), _echo_logprobs(ask, choice))
    running = {index: _pieces(ask, choice) for index, choice in enumerate(choices)}
    tokens = usage.completion_tokens - sum(len(choice.tokens) for choice in choices)
    gaps = 0
    while running:
        for index, pieces in list(running.items()):
            piece = next(pieces, None)
            if piece is None:
                del running[index]
                end = CompletionChoice("", index, choices[index].finish)
                yield 0, CompletionEvent([end])
            else:
                tokens += 1
                choice = CompletionChoice(piece[0], index, None, piece[1])
                yield gaps, CompletionEvent([choice], usage_of(usage.prompt_tokens, tokens))
                gaps = 0
        gaps = 1
    yield 0, CompletionEvent([], usage)


def whole(ask: CompletionAsk, choices: list[Continuation], usage: Usage) -> Steps[CompletionEvent]:
    """One event for each choice, due when the longest is through; usage last."""
    gaps = max(len(choice.tokens) for choice in choices) - 1
    for index, choice in enumerate(choices):
        text = "".join([*choice.prompt, *choice.tokens] if ask.echo else choice.tokens)
        logprobs = _joined(
            _echo_logprobs(ask, choice) if ask.echo else None,
            _logprobs(ask, choice, choice.tokens, _length(choice.prompt)),
        )
        told = CompletionChoice(text, index, choice.finish, logprobs)
        yield max(0, gaps), CompletionEvent([told])
        gaps = 0
    yield 0, CompletionEvent([], usage)


def _event(index: int, text: str, logprobs: CompletionLogprobs | None) -> CompletionEvent:
    return CompletionEvent([CompletionChoice(text, index, None, logprobs)])


def _pieces(
    ask: CompletionAsk, choice: Continuation
) -> Iterator[tuple[str, CompletionLogprobs | None]]:
    offset = _length(choice.prompt)
    for token in choice.tokens:
        yield token, _logprobs(ask, choice, [token], offset)
        offset += len(token)


def _length(pieces: list[str]) -> int:
    return sum(map(len, pieces))


def _echo_logprobs(ask: CompletionAsk, choice: Continuation) -> CompletionLogprobs | None:
    if ask.logprobs is None:
        return None
    return completion_logprobs(choice.prompt, ask.logprobs, 0, choice.dice, starts_prompt=True)


def _logprobs(
    ask: CompletionAsk, choice: Continuation, tokens: list[str], offset: int
) -> CompletionLogprobs | None:
    if ask.logprobs is None:
        return None
    return completion_logprobs(tokens, ask.logprobs, offset, choice.dice)


def _joined(
    first: CompletionLogprobs | None, second: CompletionLogprobs | None
) -> CompletionLogprobs | None:
    if first is None or second is None:
        return second
    tops = first.top_logprobs is not None and second.top_logprobs is not None
    return CompletionLogprobs(
        tokens=first.tokens + second.tokens,
        token_logprobs=first.token_logprobs + second.token_logprobs,
        top_logprobs=[*(first.top_logprobs or ()), *(second.top_logprobs or ())] if tops else None,
        text_offset=first.text_offset + second.text_offset,
    )
