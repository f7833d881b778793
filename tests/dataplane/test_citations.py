"""Marks in a text become annotations beside it, however the text comes in pieces."""

from __future__ import annotations

import time
from typing import Any

import pytest

from linarite.dataplane.operations.responses.citations import Citing, Passage

PASSAGES = [
    Passage("file-1", "leave.md", "Everybody has thirty days of leave each year."),
    Passage("file-2", "travel.md", "Trains are paid in second class, flights never."),
]


def read(pieces: list[str]) -> tuple[str, list[tuple[str, int]]]:
    """The text without its marks, and what it cites where."""
    citing = Citing(PASSAGES)
    told = [citing.add(each) for each in pieces]
    told.append(citing.end())
    found: list[dict[str, Any]] = [each for _, part in told for each in part]
    return "".join(text for text, _ in told), [(each["file_id"], each["index"]) for each in found]


CASES = [
    ("Thirty days [1].", "Thirty days.", [("file-1", 11)]),
    ("Thirty【1†leave.md】 or so", "Thirty or so", [("file-1", 6)]),
    ("A [1, 2] b [2][1]", "A b", [("file-1", 1), ("file-2", 1), ("file-2", 3), ("file-1", 3)]),
    ("x = a[7]; y [12]", "x = a[7]; y [12]", []),
    ("An open [", "An open [", []),
    ("An open [1", "An open [1", []),
    ("Trailing  ", "Trailing  ", []),
    ("[not a mark] [1]", "[not a mark]", [("file-1", 12)]),
]


@pytest.mark.parametrize(("said", "text", "cited"), CASES)
def test_marks_are_taken_out(said: str, text: str, cited: list[tuple[str, int]]) -> None:
    """Cut anywhere, it comes to the same."""
    assert read([said]) == (text, cited)
    assert read(list(said)) == (text, cited)
    for at in range(len(said)):
        assert read([said[:at], said[at:]]) == (text, cited)


def test_nothing_is_told_twice_or_held_for_long() -> None:
    """What can't become a mark any more is told at once."""
    citing = Citing(PASSAGES)
    assert citing.add("Days ") == ("Days", [])
    assert citing.add("of") == (" of", [])
    assert citing.add("[1") == ("", [])
    assert citing.add("x") == ("[1x", [])
    long = " " * 400
    assert citing.add(long)[0] == long


def test_a_text_without_marks_cites_what_it_is_like() -> None:
    """The last of a run of sentences, where most of its words stand in one passage."""
    said = "Everybody has thirty days of leave. Trains are paid in second class. Ask your manager."
    assert read([said]) == (said, [("file-1", 35), ("file-2", 68)])
    twice = "Everybody has thirty days.\nEverybody has leave each year."
    assert read([twice]) == (twice, [("file-1", len(twice))])
    assert read(["The weather is fine over the whole country."])[1] == []


def test_much_space_takes_no_time() -> None:
    """Looked through once, not once from each of its places."""
    began = time.process_time()
    assert read([" " * 20_000 + "x", " " * 20_000 + "[1]"])[1] == [("file-1", 20_001)]
    assert time.process_time() - began < 1  # it was most of a minute
