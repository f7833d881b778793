"""What `$filter` means, and what is said of one that means nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.azure_metrics.filters import FilterError, read_filter

VALUES = {"a": "x", "b": "y", "c": ""}


def wants(text: str, **changed: str) -> bool:
    """Whether a series with these values is wanted."""
    values = VALUES | changed
    return read_filter(text).wants(lambda name: values.get(name, ""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("A eq 'X'", True),
        ("a EQ 'z'", False),
        ("A ne 'z' and B eq '*'", True),
        ("A sw 'x' and B sw 'z'", False),
        ("A eq 'x' and B eq 'q' or B eq 'y'", True),
        ("A eq 'q' and B eq 'q' or B eq 'y'", False),
        ("A eq 'x' and (B eq 'q' or B eq 'y')", True),
        ("(A eq 'x' or A eq 'q') and (B eq 'q')", False),
        ("C eq ''", True),
    ],
)
def test_a_filter_chooses_series(text: str, expected: bool) -> None:
    """`or` binds closer than `and`; values and names are compared without case."""
    assert wants(text) is expected


def test_quotes_and_brackets_may_stand_in_values() -> None:
    """A quote is written twice."""
    assert wants("A eq 'it''s (x) and or'", a="it's (x) and or")


def test_named_dimensions_are_told_once_in_their_order() -> None:
    """Series are told apart by them, in the words of the question."""
    read = read_filter("StatusCode eq '429' or statuscode eq '503' and Region eq '*'")
    assert read.dimensions == ("StatusCode", "Region")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A", "eq, ne or sw"),
        ("A eq x", "a value in quotes"),
        ("A eq 'x", "quote"),
        ("A eq 'x' B eq 'y'", "'and', 'or'"),
        ("(A eq 'x'", r"'\)'"),
        ("A eq 'x' and", "the name of a dimension"),
        ("A eq 'x' or B eq 'y'", "different dimensions"),
        ("(" * 30 + "A eq 'x'" + ")" * 30, "parentheses"),
        ("A eq '" + "x" * 5000 + "'", "characters"),
    ],
)
def test_a_wrong_filter_is_explained(text: str, said: str) -> None:
    """The message says what should stand where."""
    with pytest.raises(FilterError, match=said):
        read_filter(text)


@given(st.text("Aeqnorsw '()*x", max_size=40))
def test_no_filter_breaks_the_reader(text: str) -> None:
    """Whatever is sent, it is read or refused."""
    with suppress(FilterError):
        read_filter(text).wants(lambda _: "x")
