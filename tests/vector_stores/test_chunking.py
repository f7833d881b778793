"""Cutting texts into chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linarite.domain.vector_store import Chunking
from linarite.vector_stores.chunking import BYTES_PER_TOKEN, pieces_of

WORDS = " ".join(f"word{each}." for each in range(3000))


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_nothing_is_cut_into_nothing(text: str) -> None:
    """White space makes no chunk."""
    assert list(pieces_of(text, Chunking())) == []


def test_a_short_text_is_one_chunk() -> None:
    """As it is."""
    assert [each.text for each in pieces_of("Blue.\n", Chunking())] == ["Blue.\n"]


def test_chunks_are_as_large_as_asked_and_overlap() -> None:
    """At most that many tokens, not much fewer, each beginning within the one before."""
    pieces = list(pieces_of(WORDS, Chunking(200, 100)))
    for before, piece in pairwise(pieces):
        assert len(piece.text) <= 200 * BYTES_PER_TOKEN
        overlap = before.start + len(before.text) - piece.start
        assert 0.6 * 100 * BYTES_PER_TOKEN <= overlap <= 100 * BYTES_PER_TOKEN
        assert len(before.text) >= 0.8 * 200 * BYTES_PER_TOKEN
        assert piece.text.startswith("word")


def test_paragraphs_are_kept_together_where_they_fit() -> None:
    """The end of one that is near is where the text is cut."""
    text = "a" * 350 + "\n\n" + "b" * 300
    assert [each.text[0] for each in pieces_of(text, Chunking(100, 0))] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(alphabet="ab é漢🙂\n.", max_size=3000),
    size=st.integers(min_value=100, max_value=300),
    share=st.floats(min_value=0, max_value=0.5),
)
def test_no_character_is_lost(text: str, size: int, share: float) -> None:
    """Chunks are parts of the text at their places, small enough, without a gap between words."""
    pieces = list(pieces_of(text, Chunking(size, int(size * share))))
    at = 0
    for piece in pieces:
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
        assert len(piece.text.encode()) <= size * BYTES_PER_TOKEN
        assert not text[at : piece.start].strip()
        at = max(at, piece.start + len(piece.text))
    assert not text[at:].strip()
