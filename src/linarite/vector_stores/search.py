"""Hybrid search: chunks near in meaning, and chunks with the same words."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.vector_store_errors import DEPLOYMENT_SETTING
from linarite.files.keeper import EVERYBODY
from linarite.vector_stores.extraction import require_documents
from linarite.vector_stores.filters import Test
from linarite.vector_stores.keeper import DEPLOYMENT
from linarite.vector_stores.ranking import Asked
from linarite.vector_stores.reranking import NoReranker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.domain.principal import Principal
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import Attributes, Embedder, VectorIndex
    from linarite.vector_stores.block import Near
    from linarite.vector_stores.keeper import VectorStoreKeeper
    from linarite.vector_stores.ranking import ChunkRanker
    from linarite.vector_stores.reranking import Reranker

CANDIDATES_MIN, CANDIDATES_EACH = 50, 4
"""how many chunks of either kind are ranked: at least, and for each that is asked for"""


class SearchAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for."""

    queries: tuple[str, ...]
    limit: int
    test: Test | None = None
    """of a file's attributes"""
    threshold: float = 0.0
    """the least score that is told"""
    embedding_weight: float = 1.0
    text_weight: float = 1.0
    fused: bool = True
    """False: by vectors alone, and scores are their similarity"""
    reranked: bool = True
    """False: a reranker is not asked, where there is one"""


class Hit(NamedTuple):
    """A chunk that was found."""

    file_id: str
    filename: str
    score: float
    """between 0 and 1"""
    attributes: Attributes
    text: str
    chunk_id: int = 0
    """within its store"""
    similarity: float = 0.0
    """the greatest cosine with a query's vector; of a chunk that was found by its words alone, a
    bound that its cosine does not exceed"""


class StoreSearcher:
    """Searches stores."""

    def __init__(
        self,
        keeper: VectorStoreKeeper,
        embedder: Embedder,
        ranker: ChunkRanker,
        require_reader: Callable[[str, Principal], None] = lambda _account, _caller: None,
        reranker: Reranker | None = None,
    ) -> None:
        """`require_reader` raises where somebody may not read an account's vector stores."""
        self._keeper = keeper
        self._embedder = embedder
        self._ranker = ranker
        self._reranker = reranker or NoReranker()
        self.require_reader = require_reader

    async def search(self, store: StoredObject, ask: SearchAsk, caller: Principal) -> list[Hit]:
        """The best chunks, the best first.

        Raises PermissionDenied, whatever the caller may do beside: who searches on the way to an
        answer reads. VectorStoreExpired, DocumentsNotInstalled, and what Embedder does.
        """
        self.require_reader(store.account_id, caller)
        require_documents()
        self._keeper.require_live(store)
        index = self._keeper.index(store)
        among = await _files_that_pass(index, ask.test)
        scored, similar = list[tuple[int, float]](), dict[int, float]()
        if among is None or among:
            where = str(store.body[DEPLOYMENT])
            vectors = await self._embedder.embed(
                store.account_id, caller, where, ask.queries, query=True
            )
            scored, similar = await self._scored(store, ask, vectors, among)
        await self._keeper.used(store)
        hits = await self._ordered(store, index, scored, ask, caller)
        bound = min(similar.values(), default=0.0)
        return [each._replace(similarity=similar.get(each.chunk_id, bound)) for each in hits]

    async def _scored(
        self,
        store: StoredObject,
        ask: SearchAsk,
        vectors: Sequence[bytes],
        among: set[int] | None,
    ) -> tuple[list[tuple[int, float]], dict[int, float]]:
        """Chunks with their scores, the best first, and cosines of those that lie near."""
        index, count = self._keeper.index(store), max(CANDIDATES_MIN, ask.limit * CANDIDATES_EACH)
        worded = ask.fused and ask.text_weight > 0
        asked = [
            Asked(vector, words if worded else "")
            for vector, words in zip(vectors, ask.queries, strict=True)
        ]
        try:
            found = await self._ranker.ranked(store.blob, index, asked, count, among)
        except ValueError:
            raise InvalidRequest(
                f"The vectors of vector store {store.id} were made by another model than its "
                f"deployment '{store.body[DEPLOYMENT]}' has now. Add its files again to a new "
                f"store ({DEPLOYMENT_SETTING}).",
                param="vector_store_id",
            ) from None
        best: dict[int, float] = {}
        for each in (each for ranked in found for each in ranked.near):
            best[each.id] = max(best.get(each.id, -1.0), min(1.0, each.similarity))
        if not ask.fused:
            shown = {each: max(0.0, similarity) for each, similarity in best.items()}
            return sorted(shown.items(), key=lambda scored: (-scored[1], scored[0])), best
        lists = [(ask.embedding_weight, spread(each.near)) for each in found]
        lists += [(ask.text_weight, dict(each.matching)) for each in found if worded]
        return fused(lists), best

    async def _ordered(
        self,
        store: StoredObject,
        index: VectorIndex,
        scored: Sequence[tuple[int, float]],
        ask: SearchAsk,
        caller: Principal,
    ) -> list[Hit]:
        """The best chunks, in the order of a reranker where there is one and it can say."""
        count = self._reranker.takes(store.account_id) if ask.reranked else 0
        if not count:
            return await self._hits(store, index, scored, ask)
        more = msgspec.structs.replace(ask, limit=max(ask.limit, count), threshold=0.0)
        hits = await self._hits(store, index, scored, more)
        query = "\n".join(ask.queries)
        passages = [each.text for each in hits[:count]]
        scores = await self._reranker.scores(store.account_id, caller, query, passages)
        ordered = hits if scores is None else reordered(hits, scores)
        return [each for each in ordered if each.score >= ask.threshold][: ask.limit]

    async def _hits(
        self,
        store: StoredObject,
        index: VectorIndex,
        scored: Sequence[tuple[int, float]],
        ask: SearchAsk,
    ) -> list[Hit]:
        wanted = {each: score for each, score in scored if score >= ask.threshold}
        ranked = list(wanted)
        hits: list[Hit] = []
        there: dict[str, bool] = {}
        while ranked and len(hits) < ask.limit:
            some, ranked = ranked[: ask.limit], ranked[ask.limit :]
            for chunk in await index.chunks(some):
                if chunk.file_id not in there:
                    there[chunk.file_id] = await self._is_there(store, index, chunk.file_id)
                if there[chunk.file_id] and len(hits) < ask.limit:
                    score = round(wanted[chunk.id], 6)
                    told = (chunk.file_id, chunk.filename, score, chunk.attributes, chunk.text)
                    hits.append(Hit(*told, chunk_id=chunk.id))
        return hits

    async def _is_there(self, store: StoredObject, index: VectorIndex, file_id: str) -> bool:
        """A file that was deleted takes its chunks with it, once somebody would see them."""
        if await self._keeper.files.find(store.account_id, file_id, EVERYBODY) is not None:
            return True
        await index.remove(file_id)
        return False


async def _files_that_pass(index: VectorIndex, test: Test | None) -> set[int] | None:
    if test is None:
        return None
    attributes = await index.attributes()
    return await asyncio.to_thread(
        lambda: {row for row, each in attributes.items() if test(each)}
    )  # there may be thousands of files


def reordered(hits: Sequence[Hit], scores: Sequence[float]) -> list[Hit]:
    """The first hits by the scores that they are given, then the others, which have no more."""
    judged = [
        each._replace(score=round(score, 6)) for each, score in zip(hits, scores, strict=False)
    ]
    judged.sort(key=lambda hit: -hit.score)  # those that score the same stay as they were
    least = judged[-1].score if judged else 1.0
    others = [each._replace(score=min(each.score, least)) for each in hits[len(judged) :]]
    return [*judged, *others]


def spread(near: Sequence[Near]) -> dict[int, float]:
    """How near chunks lie among each other: 1 for the nearest, more than 0 for the farthest.

    Models differ in which part of the cosines they use: E5's lie between 0.7 and 0.9.
    """
    if not near:
        return {}
    most, least = near[0].similarity, near[-1].similarity
    if most <= least:
        return {each.id: 1.0 for each in near}
    # Nothing lies where the next one would, if they went on as they do.
    nothing = least - (most - least) / (len(near) - 1)
    return {each.id: (each.similarity - nothing) / (most - nothing) for each in near}


def fused(found: Sequence[tuple[float, dict[int, float]]]) -> list[tuple[int, float]]:
    """The weighted means of what chunks have, 0 where they were not found; the best first.

    What is between 0 and 1 stays there.
    """
    total = sum(weight for weight, _ in found)
    if not total:
        return []
    scores: dict[int, float] = {}
    for weight, shares in found:
        for each, share in shares.items():
            scores[each] = scores.get(each, 0.0) + weight * share
    return sorted(
        ((each, score / total) for each, score in scores.items()),
        key=lambda scored: (-scored[1], scored[0]),
    )
