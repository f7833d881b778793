"""What several searches come to."""

from __future__ import annotations

from typing import Any

import pytest

from linarite.domain.data_source import Document, SearchParameters
from linarite.domain.principal import Principal
from linarite.knowledge.asker import Asker
from linarite.knowledge.finder import chosen, merged
from linarite.knowledge.own_stores import is_own
from linarite.knowledge.vectors import shortened


def found(name: str, score: float, query: str = "q", **said: Any) -> Document:  # noqa: ANN401 - any field
    """A document."""
    return Document(content=name, filepath=name, score=score, queries=(query,), **said)


def said(**more: Any) -> SearchParameters:  # noqa: ANN401 - any JSON
    """Parameters."""
    return SearchParameters(endpoint="", index_name="", **more)


def test_a_document_is_told_once() -> None:
    """With every query that found it, by the best of its scores."""
    one, two = [found("a", 0.5), found("b", 0.4)], [found("b", 0.9, "r"), found("a", 0.1, "r")]
    both = merged([one, two])
    assert [(each.content, each.score, each.queries) for each in both] == [
        ("b", 0.9, ("q", "r")),
        ("a", 0.5, ("q", "r")),
    ]


@pytest.mark.parametrize(("strictness", "left"), [(1, 4), (2, 3), (None, 2), (4, 2), (5, 1)])
def test_strictness_measures_deviations(strictness: int | None, left: int) -> None:
    """Of what is judged by cosines; the rest is told to have been dropped by its score."""
    relevances = (-5.0, 1.2, 2.9, 4.0)
    every = [found(str(each), 1.0, relevance=each) for each in relevances]
    marked = chosen(every, said(strictness=strictness), judged=True)
    assert [each.filtered for each in marked].count("score") == 4 - left


def test_scores_without_a_scale_are_compared_with_the_best() -> None:
    """A ranker's own scores have one."""
    marked = chosen([found("a", 8.0), found("b", 1.0)], said(), judged=False)
    assert [each.filtered for each in marked] == [None, "score"]
    ranked = [found("a", 0.1, rerank_score=2.0), found("b", 8.0, rerank_score=0.9)]
    assert [each.filtered for each in chosen(ranked, said(), judged=False)] == [None, "score"]


def test_beyond_the_wanted_number_they_are_dropped_by_rank() -> None:
    """And what holds no words is never told."""
    every = [found("a", 1.0), found(" ", 1.0), found("b", 1.0)]
    marked = chosen(every, said(top_n_documents=1, strictness=1), judged=False)
    assert [each.filtered for each in marked] == [None, "score", "rerank"]


@pytest.mark.parametrize(
    ("endpoint", "own"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080/", True),
        ("http://127.0.0.1:8080/contoso", True),
        ("http://127.0.0.1:8080/openai/v1", True),
        ("http://127.0.0.1:8080/other", False),
        ("http://127.0.0.1:8081", False),
        ("https://contoso.openai.linarite.example", True),
        ("https://other.openai.linarite.example", False),
        ("https://contoso.search.windows.net", False),
        ("https://contoso.openai.linarite.example.evil.example", False),
        ("no address", False),
    ],
)
def test_which_endpoint_is_the_accounts_own(endpoint: str, own: bool) -> None:
    """The one that was called, or one of its names."""
    principal = Principal(kind="Key", name="key1")
    asker = Asker("/accounts/Contoso", principal, None, "gpt", "127.0.0.1:8080")
    assert is_own(endpoint, asker, "linarite.example") is own


def test_a_shortened_vector_has_unit_length() -> None:
    """As the service shortens them."""
    assert shortened([3.0, 4.0, 9.0], 2) == [0.6, 0.8]
    assert shortened([1.0], 2) == [1.0]
    assert shortened([0.0, 0.0, 1.0], 2) == [0.0, 0.0]
