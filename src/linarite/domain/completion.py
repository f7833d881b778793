"""A text completion (legacy `completions`) and its answer."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from linarite.domain.chat import StreamOptions
from linarite.domain.usage import Usage

Prompt = str | list[int]


class CompletionAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One completions request, as on the wire; `prompts` gives the prompt in one form."""

    prompt: str | list[str | int | list[int]] | None = None
    model: str | None = None
    best_of: int | None = None
    echo: bool | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: int | None = None
    max_tokens: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    user: str | None = None

    @property
    def prompts(self) -> list[Prompt]:
        """Every prompt as text or token ids. Choices come in the order prompt x n.

        The operation has refused mixed and empty arrays before an engine reads this.
        """
        prompt = self.prompt
        if prompt is None:
            return ["<|endoftext|>"]
        if isinstance(prompt, str):
            return [prompt]
        if prompt and isinstance(prompt[0], int):
            return [[token for token in prompt if isinstance(token, int)]]
        return [item for item in prompt if not isinstance(item, int)]


class StrictCompletionAsk(
    CompletionAsk, frozen=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The same, refusing arguments that Azure would refuse."""


class CompletionLogprobs(msgspec.Struct, frozen=True):
    """The legacy shape: parallel lists, one entry a token.

    `text_offset` counts characters from the start of the prompt when `echo` is set, else from the
    start of the completion as the service does: prompt length included.
    The first token of an echoed prompt has no log-probability (None).
    """

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None
    text_offset: list[int]


class CompletionChoice(msgspec.Struct, frozen=True):
    """News of one choice; `text` is what is new."""

    text: str = ""
    index: int = 0
    finish_reason: Literal["stop", "length", "content_filter"] | None = None
    logprobs: CompletionLogprobs | None = None
    content_filter_results: dict[str, Any] | None = None
    """what Azure's content filter says about it, as it came"""
    content_filter_offsets: dict[str, Any] | None = None


class CompletionEvent(msgspec.Struct, frozen=True):
    """One step of the answer; `usage` as in `linarite.domain.chat.ChatEvent`."""

    choices: list[CompletionChoice] = []
    usage: Usage | None = None
    prompt_filter_results: list[Any] | None = None
    """what Azure's content filter says about the prompts, as it came"""
