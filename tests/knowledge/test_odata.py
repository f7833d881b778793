"""Filters in OData over the attributes of files."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.data_source_errors import SearchFailed
from linarite.knowledge.odata import filter_of

HAS: dict[str, Any] = {"year": 2024, "team": "sales", "open": True, "name": "O'Neill", "rate": 0.5}


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("year eq 2024", True),
        ("year ne 2024", False),
        ("year ge 2024 and year lt 2025", True),
        ("year gt 2024 or team eq 'sales'", True),
        ("not (team eq 'sales')", False),
        ("not year lt 2000 and open eq true", True),
        ("year gt 2000 or year gt 3000 and open eq false", True),  # `and` binds more closely
        ("(year gt 2000 or year gt 3000) and open eq false", False),
        ("open eq 1", False),
        ("name eq 'O''Neill'", True),
        ("rate le 0.5", True),
        ("rate gt -1", True),
        ("absent eq null", True),
        ("team ne null", True),
        ("absent gt 1", False),
        ("team gt 1", False),
        ("search.in(team, 'legal, sales')", True),
        ("search.in(team, 'legal|sales', '|')", True),
        ("search.in(team, 'legal,sales', '|')", False),
        ("not search.in(team, 'legal')", True),
    ],
)
def test_what_passes(said: str, passes: bool) -> None:
    """As an index of Azure AI Search would judge it."""
    assert filter_of(said)(HAS) is passes


@pytest.mark.parametrize(
    "said",
    [
        "year",
        "year eq",
        "year = 2024",
        "year eq 2024 and",
        "(year eq 2024",
        "year eq 2024)",
        "eq eq eq",
        "team eq 'sales",
        "search.in(team)",
        "tags/any(t: t eq 'x')",
        "year eq 2024x",
        "(" * 500 + "year eq 1" + ")" * 500,
        "not " * 5000 + "year eq 1",
    ],
    ids=str,
)
def test_what_is_no_filter(said: str) -> None:
    """Where it stops being one is told, and what filters look like."""
    with pytest.raises(SearchFailed, match="Invalid expression: expected"):
        filter_of(said)


@pytest.mark.parametrize("said", ["year eq " + "9" * 5000, "year eq 1." + "9" * 5000])
def test_numbers_have_an_end(said: str) -> None:
    """Python reads none of thousands of digits."""
    with pytest.raises(SearchFailed, match="Invalid expression"):
        filter_of(said)
