"""Completions, whichever engine generates: what is asked for, and in which order it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from linarite.domain.errors import InvalidRequest
from linarite.engines.text_chat.fan_out import merged
from linarite.engines.text_chat.room import require_room

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.domain.completion import CompletionAsk, CompletionEvent, Prompt

_TOKENS_DEFAULT = 16
"""what the service generates when nothing is said"""


class Continuations(Protocol):
    """What an engine makes of one request; prompts and choices have numbers."""

    @property
    def prompts(self) -> Sequence[object]:
        """What is continued."""
        ...

    def choice(self, prompt: int, choice: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt once."""
        ...

    def best_of(self, prompt: int) -> AsyncGenerator[CompletionEvent, None]:
        """Continue a prompt more often than wanted and yield the likeliest."""
        ...


def continued(
    ask: CompletionAsk, made: Continuations, at_once: int
) -> AsyncGenerator[CompletionEvent, None]:
    """All choices of all prompts, at most so many at a time, as `merged` has them.

    Where the best of several is wanted, each prompt already runs that many at a time.
    """
    wanted = ask.n or 1
    prompts = range(len(made.prompts))
    if (ask.best_of or 0) > wanted:
        return merged([made.best_of(prompt) for prompt in prompts], 1)
    choices = [made.choice(prompt, choice) for prompt in prompts for choice in range(wanted)]
    return merged(choices, at_once)


def given_prompts(ask: CompletionAsk, begin_text: str, context_tokens: int) -> list[Prompt]:
    """The prompts. Raises ContextLengthExceeded for one that cannot fit.

    A model continues something: where there is nothing, `begin_text`, the token that texts begin
    with. A text before a suffix may be empty.
    """
    given: list[Prompt] = ask.prompts if ask.prompt is not None else [""]
    beginning = "" if ask.suffix else begin_text
    prompts = [prompt or beginning for prompt in given]
    for prompt in prompts:
        if isinstance(prompt, str):
            require_room(len(prompt) + len(ask.suffix or ""), context_tokens)
    return prompts


def tokens_wanted(ask: CompletionAsk) -> int:
    """The most tokens of one continuation."""
    return _TOKENS_DEFAULT if ask.max_tokens is None else ask.max_tokens


def require_fill_in(ask: CompletionAsk, *, able: bool) -> None:
    """Raise InvalidRequest for a suffix that the model cannot write up to."""
    if ask.suffix and not able:
        raise InvalidRequest(
            "Invalid 'suffix': this model cannot insert text. Leave 'suffix' out, or use a "
            "deployment of a model made for filling in code.",
            param="suffix",
        )
