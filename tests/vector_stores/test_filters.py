"""Filters over the attributes of files."""

from __future__ import annotations

import time
from typing import Any

import pytest

from linarite.domain.errors import InvalidRequest
from linarite.vector_stores.filters import filter_of

HAS = {"lang": "de", "year": 2024, "draft": True, "score": 0.5}


def compare(kind: str, key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401 - of any type
    """A comparison as it is sent."""
    return {"type": kind, "key": key, "value": value}


@pytest.mark.parametrize(
    ("said", "passes"),
    [
        (compare("eq", "lang", "de"), True),
        (compare("eq", "lang", "en"), False),
        (compare("eq", "absent", "de"), False),
        (compare("ne", "lang", "en"), True),
        (compare("ne", "absent", "en"), True),
        (compare("gt", "year", 2023), True),
        (compare("gt", "year", 2024), False),
        (compare("gte", "year", 2024.0), True),
        (compare("lt", "score", 1), True),
        (compare("lte", "lang", "de"), True),
        (compare("lt", "lang", 3), False),
        (compare("gt", "absent", 3), False),
        (compare("eq", "draft", True), True),
        (compare("eq", "draft", 1), False),
        (compare("gte", "draft", 0), False),
        (compare("in", "lang", ["en", "de"]), True),
        (compare("in", "year", []), False),
        (compare("nin", "lang", ["en"]), True),
        (compare("nin", "lang", ["de"]), False),
        ({"type": "and", "filters": [compare("eq", "lang", "de"), compare("gt", "year", 1)]}, True),
        (
            {"type": "and", "filters": [compare("eq", "lang", "de"), compare("lt", "year", 1)]},
            False,
        ),
        ({"type": "or", "filters": [compare("eq", "lang", "en"), compare("gt", "year", 1)]}, True),
        (
            {
                "type": "or",
                "filters": [
                    compare("eq", "lang", "en"),
                    {"type": "and", "filters": [compare("eq", "draft", True)]},
                ],
            },
            True,
        ),
    ],
)
def test_filter(said: dict[str, Any], passes: bool) -> None:
    """Comparisons and what joins them."""
    assert filter_of(said)(HAS) is passes


def nested(depth: int) -> dict[str, Any]:
    """A filter in so many others."""
    said = compare("eq", "a", 1)
    for _ in range(depth):
        said = {"type": "and", "filters": [said]}
    return said


@pytest.mark.parametrize(
    "said",
    [
        [],
        {},
        {"type": []},
        {"type": {"a": 1}, "key": "a", "value": 1},
        {"type": "like", "key": "a", "value": "b"},
        {"type": "eq", "key": 3, "value": "b"},
        {"type": "eq", "key": "a"},
        {"type": "eq", "key": "a", "value": ["b"]},
        {"type": "in", "key": "a", "value": "b"},
        {"type": "in", "key": "a", "value": [{}]},
        {"type": "and"},
        {"type": "or", "filters": []},
        {"type": "or", "filters": ["x"]},
        {"type": "and", "filters": [compare("eq", "a", 1)] * 1000},
        nested(40),
    ],
)
def test_what_is_no_filter_is_refused(said: object) -> None:
    """With the field's name."""
    with pytest.raises(InvalidRequest) as refused:
        filter_of(said)
    assert refused.value.param == "filters"


def test_long_lists_are_looked_up() -> None:
    """Not gone through for each file."""
    values = [*range(200_000), "de"]
    passes, passes_not = (filter_of(compare(kind, "lang", values)) for kind in ("in", "nin"))
    began = time.process_time()
    for _ in range(200):
        assert passes(HAS)
        assert not passes_not(HAS)
        assert not passes({"lang": True})  # which is not 1
    assert time.process_time() - began < 1  # it was most of a minute


def test_a_filter_has_an_end() -> None:
    """However it is joined together."""
    part = {"type": "or", "filters": [compare("eq", "lang", "de")] * 256}
    filter_of({"type": "and", "filters": [part] * 4})
    with pytest.raises(InvalidRequest, match="more than 1024 comparisons"):
        filter_of({"type": "and", "filters": [part] * 5})
