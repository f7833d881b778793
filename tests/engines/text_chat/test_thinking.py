from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.text_chat.thinking import ThoughtSplitter, begins_thinking


def split(pieces: list[str], *, thinking: bool = False) -> tuple[str, str]:
    """Feed the pieces; return the whole thought and the whole reply."""
    splitter = ThoughtSplitter(thinking=thinking)
    parts = [*map(splitter.feed, pieces), splitter.finish()]
    return "".join(thought for thought, _ in parts), "".join(reply for _, reply in parts)


@pytest.mark.parametrize(
    ("reply", "thinking", "expected"),
    [
        ("Hello", False, ("", "Hello")),
        ("<think>hm</think>\n\nHello", False, ("hm", "Hello")),
        ("\n<think>hm</think>Hello", False, ("hm", "Hello")),
        ("hm</think> Hello", True, ("hm", "Hello")),
        ("<think>never done", False, ("never done", "")),
        (
            "no <think>tag</think> at the beginning",
            False,
            ("", "no <think>tag</think> at the beginning"),
        ),
        ("<thin", False, ("", "<thin")),
        ("", True, ("", "")),
    ],
)
def test_thoughts_are_told_from_replies(
    reply: str, thinking: bool, expected: tuple[str, str]
) -> None:
    """A thought at the beginning is split off; tags elsewhere are text."""
    assert split([reply], thinking=thinking) == expected


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "think", ">", " ", "\n", "word"])),
    st.lists(st.integers(0, 60)),
    st.booleans(),
)
def test_pieces_do_not_matter(words: list[str], cuts: list[int], thinking: bool) -> None:
    """However the stream is cut, the result is that of the whole reply."""
    reply = "".join(words)
    edges = [0, *sorted(cut % (len(reply) + 1) for cut in cuts), len(reply)]
    pieces = [reply[start:end] for start, end in itertools.pairwise(edges)]
    assert split(pieces, thinking=thinking) == split([reply], thinking=thinking)


def test_a_template_may_open_the_thought() -> None:
    """The end of the rendered prompt tells."""
    assert begins_thinking("<|im_start|>assistant\n<think>\n")
    assert not begins_thinking("<think>x</think>\n<|im_start|>assistant\n")
