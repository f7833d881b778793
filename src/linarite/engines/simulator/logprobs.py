"""Log-probabilities that look like a confident model's, in both of the API's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.chat import TokenLogprob, TopLogprob
from linarite.domain.completion import CompletionLogprobs
from linarite.engines.simulator.prose import WORDS

if TYPE_CHECKING:
    from linarite.engines.simulator.dice import Dice

_STEP = 0.7


def token_logprob(token: str, top: int, dice: Dice) -> TokenLogprob:
    """Chat's shape: the token, and the `top` likeliest ones, itself first."""
    alternatives = likeliest(token, top, dice)
    logprob = alternatives[0][1] if alternatives else _of_chosen(dice)
    return TokenLogprob(
        token=token,
        logprob=logprob,
        bytes=list(token.encode()),
        top_logprobs=[
            TopLogprob(token=other, logprob=value, bytes=list(other.encode()))
            for other, value in alternatives
        ],
    )


def completion_logprobs(
    tokens: list[str], top: int, offset: int, dice: Dice, *, starts_prompt: bool = False
) -> CompletionLogprobs:
    """The legacy shape, for tokens that start at `offset` characters.

    The first token of a prompt has no log-probability: nothing stands before it.
    """
    chosen: list[float | None] = []
    tops: list[dict[str, float] | None] = []
    offsets: list[int] = []
    for at, token in enumerate(tokens):
        if starts_prompt and at == 0:
            chosen.append(None)
            tops.append(None)
        else:
            alternatives = likeliest(token, top, dice)
            chosen.append(alternatives[0][1] if alternatives else _of_chosen(dice))
            tops.append(dict(alternatives))
        offsets.append(offset)
        offset += len(token)
    return CompletionLogprobs(
        tokens=tokens,
        token_logprobs=chosen,
        top_logprobs=tops if top else None,
        text_offset=offsets,
    )


def likeliest(token: str, top: int, dice: Dice) -> list[tuple[str, float]]:
    """The token and words that could have come instead, the likeliest first."""
    if not top:
        return []
    logprob = _of_chosen(dice)
    found = [(token, logprob)]
    first = dice.below(len(WORDS))
    for word in (*WORDS[first:], *WORDS[:first]):
        if len(found) == top:
            break
        if f" {word}" != token:
            logprob -= _STEP if len(found) > 1 else 2.0
            found.append((f" {word}", round(logprob, 6)))
    return found


def _of_chosen(dice: Dice) -> float:
    # Between e^-0.5 and e^-0.3, about two thirds: leaves room for the alternatives.
    return round(-0.3 - 0.2 * dice.share(), 6)
