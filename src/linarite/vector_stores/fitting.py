"""Cutting texts to what a model reads, as it has been seen to count them.

Only the model's own tokenizer knows how many tokens a text has. A model that says how many tokens
it reads is first taken to count as most do for English; what it refuses teaches how it counts, so
that the texts which follow are cut before they are asked.
"""

from __future__ import annotations

import re
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BYTES_PER_TOKEN = 4.2
"""of English prose"""
REFUSED = re.compile(r"maximum context length is (\d+) tokens\D*(\d+) tokens")
"""what is said of a text that is too long: how many tokens may be, and how many are"""
UNKNOWN = 0.5
"""which share of a text is tried next where that is not said"""
MARGIN, GROWTH = 0.95, 1.005
"""after a refusal a little less is tried than would fit; what is accepted makes up for it"""
SHORTEST = 64
"""bytes of a text that is not cut any further"""


class Fit:
    """How long a text may be for one model."""

    def __init__(self, context_tokens: int) -> None:
        """`context_tokens` 0 where the model does not say what it reads."""
        self._most = context_tokens * BYTES_PER_TOKEN
        self.bytes_max = self._most
        """0: as far as is known, any text fits"""

    def accepted(self) -> None:
        """Texts that had been cut were read: others may be less dense than those before them."""
        if self.bytes_max:
            self.bytes_max *= GROWTH
        if self._most:
            self.bytes_max = min(self.bytes_max, self._most)

    def refused(self, longest: int, why: str) -> bool:
        """The longest of some texts had so many bytes. False where none can be cut any further."""
        told = REFUSED.search(why)
        may, are = (int(told[1]), int(told[2])) if told else (0, 0)
        share = may / are if 0 < may < are else UNKNOWN
        self.bytes_max = max(SHORTEST, longest * share * MARGIN)
        return longest > SHORTEST

    def parts_of(self, text: str) -> list[str]:
        """A text in parts of about the same length, none of them empty, cut between words."""
        size = size_of(text)
        if not self.bytes_max or size <= self.bytes_max:
            return [text]
        return [each for each in _cut(text, ceil(size / self.bytes_max)) if each.strip()] or [text]


def _cut(text: str, count: int) -> Iterator[str]:
    start = 0
    for left in range(count, 1, -1):
        end = start + ceil((len(text) - start) / left)
        blank = text.rfind(" ", start + (end - start) // 2, end)
        end = blank if blank > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def size_of(text: str) -> int:
    """In bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
