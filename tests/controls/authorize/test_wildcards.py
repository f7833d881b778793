"""Patterns of actions, against the regular expression that they stand for."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from linarite.controls.authorize.wildcards import Wildcards

WORDS = st.lists(
    st.sampled_from(["Microsoft.X", "a", "aa", "/", "read", "*", "b"]), max_size=7
).map("".join)


@given(pattern=WORDS, action=WORDS.map(lambda text: text.replace("*", "ab").lower()))
def test_a_pattern_is_the_regular_expression_that_it_looks_like(pattern: str, action: str) -> None:
    """Case does not count; `*` is anything, also nothing and slashes."""
    expression = ".*".join(re.escape(piece) for piece in pattern.lower().split("*"))
    assert Wildcards([pattern]).match(action) == bool(re.fullmatch(expression, action))


@given(patterns=st.lists(WORDS, max_size=4), action=WORDS.map(str.lower))
def test_one_of_several_is_enough(patterns: list[str], action: str) -> None:
    """And none of none."""
    several = Wildcards(patterns)
    assert several.match(action) == any(Wildcards([one]).match(action) for one in patterns)


def test_ends_of_a_pattern_do_not_overlap() -> None:
    """`ab*ba` needs all four characters."""
    assert not Wildcards(["ab*ba"]).match("aba")
    assert Wildcards(["ab*ba"]).match("abba")
