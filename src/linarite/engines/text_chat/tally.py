"""Counting the tokens of a request that takes several generations, while they run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from linarite.domain.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from linarite.domain.usage import Usage


class Counted(Protocol):
    """A reply and its counts so far."""

    @property
    def prompt_tokens(self) -> int:
        """Of its prompt; 0 until the engine has told."""
        ...

    @property
    def cached_tokens(self) -> int:
        """Of those, the ones that needed no computation."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Generated so far."""
        ...


class Tally:
    """Tokens of all choices. Those of one prompt share it, so it counts once."""

    def __init__(self) -> None:
        self._running: dict[Counted, int | None] = {}
        self._prompt_tokens: dict[int, int] = {}
        self._cached_tokens: dict[int, int] = {}
        # Kept beside the entries they are sums of: a request may have thousands of prompts.
        self._prompt_tokens_sum = 0
        self._cached_tokens_sum = 0
        self._completion_tokens = 0

    @contextmanager
    def counting(self, generation: Counted, prompt: int | None = 0) -> Generator[None]:
        """Count a reply, for as long as it runs, to the prompt of that number.

        None: it continues another one, whose prompt has been counted, as has what it continues.
        """
        self._running[generation] = prompt
        try:
            yield
        finally:
            if generation in self._running:
                self._count_prompt(generation, self._running.pop(generation))
                self._completion_tokens += generation.completion_tokens

    def drop(self, generation: Counted) -> None:
        """Do not count a reply after all: another one takes its place."""
        self._running.pop(generation, None)

    def add_prompt(self, tokens: int, prompt: int) -> None:
        """Count a prompt that nothing was generated for."""
        before = self._prompt_tokens.get(prompt, 0)
        if tokens > before:
            self._prompt_tokens[prompt] = tokens
            self._prompt_tokens_sum += tokens - before

    @property
    def usage(self) -> Usage:
        """The counts so far."""
        completion_tokens = self._completion_tokens
        for generation, prompt in self._running.items():
            self._count_prompt(generation, prompt)
            completion_tokens += generation.completion_tokens
        return usage_of(self._prompt_tokens_sum, completion_tokens, self._cached_tokens_sum)

    def _count_prompt(self, generation: Counted, prompt: int | None) -> None:
        if prompt is None or not generation.prompt_tokens:
            return
        self.add_prompt(generation.prompt_tokens, prompt)
        # What later choices find computed was computed for this very request.
        cached = generation.cached_tokens
        before = self._cached_tokens.get(prompt)
        if before is None or cached < before:
            self._cached_tokens[prompt] = cached
            self._cached_tokens_sum += cached - (before or 0)
