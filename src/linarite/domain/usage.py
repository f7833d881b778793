"""Tokens counted by the engine that served the request."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

TOKENS_MAX = 2**31 - 1
"""of one request: an `int32`, as on Azure; sums of days, and their cost, stay within 64 bits"""
Tokens = Annotated[int, Meta(ge=0, le=TOKENS_MAX)]
"""a count; an engine's answer with another number in its place does not decode"""


class PromptTokensDetails(msgspec.Struct, frozen=True):
    """How many of the prompt's tokens were found in the prefix cache, or were audio."""

    cached_tokens: Tokens = 0
    audio_tokens: Tokens = 0


class CompletionTokensDetails(msgspec.Struct, frozen=True):
    """Parts of the completion's tokens, as Azure OpenAI reports them."""

    reasoning_tokens: Tokens = 0
    audio_tokens: Tokens = 0
    accepted_prediction_tokens: Tokens = 0
    rejected_prediction_tokens: Tokens = 0


class Usage(msgspec.Struct, frozen=True):
    """Token counts of one request, over all its choices."""

    prompt_tokens: Tokens = 0
    completion_tokens: Tokens = 0
    total_tokens: Tokens = 0
    prompt_tokens_details: PromptTokensDetails | None = PromptTokensDetails()
    completion_tokens_details: CompletionTokensDetails | None = CompletionTokensDetails()

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens that needed no computation."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0

    @property
    def reasoning_tokens(self) -> int:
        """Completion tokens that are not shown."""
        return (
            self.completion_tokens_details.reasoning_tokens if self.completion_tokens_details else 0
        )


def usage_of(prompt_tokens: int, completion_tokens: int, cached_tokens: Tokens = 0) -> Usage:
    """Build a Usage from the three counts every engine has."""
    total = prompt_tokens + completion_tokens
    if not cached_tokens:  # each piece of a stream makes one: a third of the cost
        return Usage(prompt_tokens, completion_tokens, total)
    return Usage(prompt_tokens, completion_tokens, total, PromptTokensDetails(cached_tokens))


def added(one: Usage, other: Usage) -> Usage:
    """What two answers of a model have used together."""
    total = usage_of(
        one.prompt_tokens + other.prompt_tokens,
        one.completion_tokens + other.completion_tokens,
        one.cached_tokens + other.cached_tokens,
    )
    thought = one.reasoning_tokens + other.reasoning_tokens
    details = CompletionTokensDetails(reasoning_tokens=thought)
    return msgspec.structs.replace(total, completion_tokens_details=details)
