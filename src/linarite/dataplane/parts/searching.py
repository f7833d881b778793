"""What a search in vector stores is asked for, by whichever operation it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.parts.checks import in_range, one_of
from linarite.domain.errors import InvalidRequest
from linarite.vector_stores.filters import filter_of
from linarite.vector_stores.search import SearchAsk

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS_BOUNDS, RESULTS_USUAL = (1, 50), 10
QUERIES_MAX, QUERY_CHARACTERS_MAX = 8, 4096


class HybridSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts how much."""

    embedding_weight: float
    text_weight: float


class RankingOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How what is found is ranked."""

    ranker: str = "auto"
    score_threshold: float = 0.0
    hybrid_search: HybridSearch | None = None


class Wanted(NamedTuple):
    """What is looked for, as a request says it."""

    queries: tuple[str, ...]
    limit: int
    ranking: RankingOptions | None
    filters: dict[str, Any] | None


def search_ask(wanted: Wanted, rankers: Sequence[str], where: str = "") -> SearchAsk:
    """The same, checked; `where` is the place of it in the request. Raises InvalidRequest."""
    in_range(f"{where}max_num_results", wanted.limit, *RESULTS_BOUNDS)
    ranking = wanted.ranking or RankingOptions()
    name = f"{where}ranking_options"
    one_of(f"{name}.ranker", ranking.ranker, rankers)
    in_range(f"{name}.score_threshold", ranking.score_threshold, 0, 1)
    weights = ranking.hybrid_search or HybridSearch(1, 1)
    if min(weights.embedding_weight, weights.text_weight) < 0 or not (
        weights.embedding_weight or weights.text_weight
    ):
        raise InvalidRequest(
            f"Invalid '{name}.hybrid_search': weights must not be negative, and one of them must "
            "be above zero.",
            param=f"{name}.hybrid_search",
            code="invalid_value",
        )
    try:
        test = filter_of(wanted.filters) if wanted.filters else None
    except InvalidRequest as problem:
        problem.param = f"{where}filters"
        raise
    return SearchAsk(
        queries=wanted.queries,
        limit=wanted.limit,
        test=test,
        threshold=ranking.score_threshold,
        embedding_weight=weights.embedding_weight,
        text_weight=weights.text_weight,
        fused=ranking.ranker != "none",
        reranked=ranking.ranker != "none",
    )
