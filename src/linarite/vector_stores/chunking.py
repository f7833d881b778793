"""Cutting a text into chunks that overlap.

A token is counted as four bytes of UTF-8. That is about what the tokenizers of OpenAI's models
give for European languages; of Chinese, Japanese or Korean a chunk has a third of a tokenizer's
count more or less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.domain.vector_store import Chunking

BYTES_PER_TOKEN = 4
SEPARATORS = ("\n\n", "\n", ". ", " ")
"""where a text is cut if one of them is near, the best first"""
NEAR = 0.2
"""of a chunk's length"""


class Piece(NamedTuple):
    """A part of a text."""

    start: int
    """its first character"""
    text: str


def pieces_of(text: str, chunking: Chunking) -> Iterator[Piece]:
    """The chunks in their order; none for a text without any but white space.

    Each is at most `chunking.size` tokens, and begins at most `chunking.overlap` tokens before the
    end of the one before it.
    """
    if not text.strip():
        return
    size, overlap = chunking.size * BYTES_PER_TOKEN, chunking.overlap * BYTES_PER_TOKEN
    start = 0
    while True:
        end = _end(text, start, size)
        if text[start:end].strip():
            yield Piece(start, text[start:end])
        if end >= len(text):
            return
        start = max(start + 1, _begin(text, end, overlap))


def _end(text: str, start: int, size: int) -> int:
    furthest = _fitting(text, start, size)
    if furthest >= len(text):
        return len(text)
    earliest = furthest - int((furthest - start) * NEAR)
    for separator in SEPARATORS:
        at = text.rfind(separator, earliest, furthest)
        if at > start:
            return at + len(separator)
    return furthest


def _fitting(text: str, start: int, size: int) -> int:
    """The end of the longest part from `start` that has at most `size` bytes, and a character."""
    part = text[start : start + size]
    if part.isascii():
        return start + len(part)
    fits = part.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
    return start + max(1, len(fits))


def _begin(text: str, end: int, overlap: int) -> int:
    """Where the next chunk begins: a word's beginning, at most `overlap` bytes before `end`."""
    if not overlap:
        return end
    before = text[max(0, end - overlap) : end]
    if not before.isascii():
        before = before.encode("utf-8", "replace")[-overlap:].decode("utf-8", "ignore")
    word = before.find(" ", 0, max(1, int(len(before) * NEAR)))
    return end - len(before) + (word + 1)
