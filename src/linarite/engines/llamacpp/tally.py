"""Counting the tokens of a request that takes several generations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from linarite.domain.usage import Usage
    from linarite.engines.llamacpp.generation import Generation


class Tally:
    """Tokens of all choices. Those of one prompt share it, so it counts once."""

    def __init__(self) -> None:
        self._prompt_tokens: dict[int, int] = {}
        self._cached_tokens: dict[int, int] = {}
        self._completion_tokens = 0

    def add(self, generation: Generation, prompt: int = 0) -> None:
        """Count a reply that has ended, or was ended, to the prompt of that number."""
        before = self._prompt_tokens.get(prompt, 0)
        self._prompt_tokens[prompt] = max(before, generation.prompt_tokens)
        # What later choices find computed was computed for this very request.
        cached = self._cached_tokens.get(prompt, generation.cached_tokens)
        self._cached_tokens[prompt] = min(cached, generation.cached_tokens)
        self._completion_tokens += generation.completion_tokens

    def add_continuation(self, generation: Generation) -> None:
        """Count a reply that continued another one: its prompt has been counted, as both."""
        self._completion_tokens += generation.completion_tokens

    def add_prompt(self, tokens: int, prompt: int) -> None:
        """Count a prompt that nothing was generated for."""
        self._prompt_tokens[prompt] = max(self._prompt_tokens.get(prompt, 0), tokens)

    @property
    def usage(self) -> Usage:
        """The counts so far."""
        return usage_of(
            sum(self._prompt_tokens.values()),
            self._completion_tokens,
            sum(self._cached_tokens.values()),
        )
