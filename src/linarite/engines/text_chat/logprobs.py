"""Log-probabilities as engines tell them, and in OpenAI's two shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.chat import ChoiceLogprobs, TokenLogprob, TopLogprob
from linarite.domain.completion import CompletionLogprobs

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST = -9999.0
"""what the service writes for a token that could not have come"""


class TopProbability(msgspec.Struct, frozen=True):
    """A token that could have come instead."""

    token: str
    bytes: list[int]
    logprob: float


class TokenProbability(msgspec.Struct, frozen=True):
    """A token that came.

    Where a character spans several tokens, its last token stands for all of them.
    """

    token: str
    bytes: list[int]
    logprob: float
    top_logprobs: list[TopProbability] = []
    id: int = -1


def chat_logprobs(probabilities: Sequence[TokenProbability], top: int) -> ChoiceLogprobs:
    """The shape of chat completions, with `top` alternatives for each token."""
    return ChoiceLogprobs(
        content=[
            TokenLogprob(
                token=seen.token,
                logprob=bounded(seen.logprob),
                bytes=seen.bytes,
                top_logprobs=[
                    TopLogprob(token=other.token, logprob=bounded(other.logprob), bytes=other.bytes)
                    for other in seen.top_logprobs[:top]
                ],
            )
            for seen in probabilities
            # The end of the reply is a token too, but one without text.
            if seen.bytes
        ]
    )


def completion_logprobs(
    probabilities: Sequence[TokenProbability], top: int, offset: int
) -> CompletionLogprobs:
    """The legacy shape; `offset` is the number of characters before the first token."""
    tokens: list[str] = []
    offsets: list[int] = []
    seen = [probability for probability in probabilities if probability.bytes]
    for probability in seen:
        tokens.append(legacy_token(bytes(probability.bytes)))
        offsets.append(offset)
        offset += len(bytes(probability.bytes).decode("utf-8", "ignore"))
    return CompletionLogprobs(
        tokens=tokens,
        token_logprobs=[bounded(probability.logprob) for probability in seen],
        top_logprobs=[_alternatives(probability, top) for probability in seen] if top else None,
        text_offset=offsets,
    )


def legacy_token(raw: bytes) -> str:
    """A token's text, or its bytes written out where they are no text by themselves."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def bounded(logprob: float) -> float:
    """JSON has no infinity."""
    return max(_LEAST, logprob)


def _alternatives(probability: TokenProbability, top: int) -> dict[str, float]:
    """The likeliest tokens, and always the one that came, as the legacy service does."""
    found = {
        legacy_token(bytes(other.bytes)): bounded(other.logprob)
        for other in probability.top_logprobs[:top]
        if other.bytes
    }
    found.setdefault(legacy_token(bytes(probability.bytes)), bounded(probability.logprob))
    return found
