"""Finding documents: which source is meant, its searches, and what of them the model is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.data_source import (
    DOCUMENTS_DEFAULT,
    STRICTNESS_DEFAULT,
    Document,
    Retrieved,
)
from linarite.domain.errors import LinariteError
from linarite.knowledge.azure_search import Query, require_combined
from linarite.knowledge.intent import queries_of
from linarite.knowledge.own_stores import is_own
from linarite.knowledge.relevance import best_of, passes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from linarite.domain.chat import Message
    from linarite.domain.data_source import SearchParameters
    from linarite.knowledge.asker import Asker, ChatAsking
    from linarite.knowledge.azure_search import AzureSearch
    from linarite.knowledge.own_stores import OwnStores
    from linarite.knowledge.vectors import QueryVectors

    Search = Callable[[str], Awaitable[list[Document]]]

CANDIDATES_EACH, CANDIDATES_MAX = 2, 50
"""how many documents each query brings, for each that is wanted"""


class DocumentFinder:
    """Finds what questions are about. Nothing is kept of any question."""

    def __init__(
        self, stores: OwnStores, search: AzureSearch, vectors: QueryVectors, suffix: str
    ) -> None:
        """`suffix` is what the names of accounts end with."""
        self._stores = stores
        self._search = search
        self._vectors = vectors
        self._suffix = suffix
        self.ask: ChatAsking | None = None
        """has a deployment write search queries; None: nobody does"""

    async def queries(
        self, asker: Asker, said: SearchParameters, messages: Sequence[Message]
    ) -> list[str]:
        """What to search for."""
        return await queries_of(messages, said.max_search_queries, asker, self.ask)

    async def find(self, asker: Asker, said: SearchParameters, queries: Sequence[str]) -> Retrieved:
        """What all queries find.

        Raises DataSourceRefused, OutboundAccessDenied, and what StoreSearcher and Embedder do;
        with `allow_partial_result` only where every query fails.
        """
        own = is_own(said.endpoint, asker, self._suffix)
        search = await self._in_store(asker, said) if own else self._in_index(asker, said)
        found = await asyncio.gather(*map(search, queries), return_exceptions=True)
        lists = [each for each in found if not isinstance(each, BaseException)]
        problems = [each for each in found if isinstance(each, BaseException)]
        unforeseen = [each for each in problems if not isinstance(each, LinariteError)]
        if problems and (unforeseen or not said.allow_partial_result or not lists):
            raise (unforeseen or problems)[0]
        return Retrieved(chosen(merged(lists), said, judged=own))

    async def _in_store(self, asker: Asker, said: SearchParameters) -> Search:
        store = await self._stores.store(asker, said.index_name)

        async def search(query: str) -> list[Document]:
            return await self._stores.search(asker, said, store, query)

        return search

    def _in_index(self, asker: Asker, said: SearchParameters) -> Search:
        require_combined(said)
        wanted = CANDIDATES_EACH * (said.top_n_documents or DOCUMENTS_DEFAULT)

        async def search(query: str) -> list[Document]:
            vector = await self._vectors.of(asker, said, query)
            count = min(CANDIDATES_MAX, wanted)
            return await self._search.search(asker, said, Query(query, vector), count)

        return search


def merged(lists: Sequence[list[Document]]) -> list[Document]:
    """What several queries found, each document once, the best first."""
    kept: dict[tuple[str | None, str | None, str], Document] = {}
    for each in (each for found in lists for each in found):
        key = (each.filepath, each.chunk_id, each.content)
        known = kept.get(key)
        if known is None:
            kept[key] = each
            continue
        better, other = (known, each) if _rank(known) >= _rank(each) else (each, known)
        kept[key] = msgspec.structs.replace(
            better,
            queries=tuple(dict.fromkeys((*known.queries, *each.queries))),
            relevance=max(better.relevance, other.relevance),
        )
    return sorted(kept.values(), key=_rank, reverse=True)


def _rank(document: Document) -> tuple[float, float]:
    reranked = document.rerank_score
    return (-1.0 if reranked is None else reranked, document.score)


def chosen(
    documents: Sequence[Document], said: SearchParameters, *, judged: bool
) -> list[Document]:
    """The same documents, with the reason by those that the model is not told of."""
    strictness = said.strictness or STRICTNESS_DEFAULT
    room = said.top_n_documents or DOCUMENTS_DEFAULT
    best_score = best_of(documents)
    marked: list[Document] = []
    for each in documents:
        if not each.content.strip() or not passes(each, strictness, best_score, judged=judged):
            marked.append(msgspec.structs.replace(each, filtered="score"))
        elif room == 0:
            marked.append(msgspec.structs.replace(each, filtered="rerank"))
        else:
            room -= 1
            marked.append(each)
    return marked
