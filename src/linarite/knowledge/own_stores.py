"""A data source that is one of the account's own vector stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.domain.account_names import domain_in
from linarite.domain.data_source import DOCUMENTS_DEFAULT, SEMANTIC, Document
from linarite.domain.data_source_errors import DataSourceRefused, IndexNotFound, SearchFailed
from linarite.domain.errors import EgressRefused
from linarite.domain.stored_object import Page
from linarite.domain.target import target_of
from linarite.knowledge.odata import filter_of
from linarite.knowledge.relevance import deviations
from linarite.vector_stores.keeper import DEPLOYMENT
from linarite.vector_stores.search import SearchAsk

if TYPE_CHECKING:
    from linarite.domain.data_source import QueryType, SearchParameters
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import Attributes
    from linarite.knowledge.asker import Asker
    from linarite.knowledge.relevance import Relevance, Usual
    from linarite.vector_stores.keeper import VectorStoreKeeper
    from linarite.vector_stores.search import Hit, StoreSearcher

EVERY_STORE = 10_000
CANDIDATES_MIN, CANDIDATES_MAX = 10, 50
LEAST_SCORE = 1e-6
"""of what has any of the words, where only words count"""
TITLE, URL, FILEPATH = "title", "url", "filepath"
"""attributes of a file that are shown with what was found in it"""


def is_own(endpoint: str, asker: Asker, suffix: str) -> bool:
    """Whether an endpoint is the account's own: the one that was called, or one of its names."""
    try:
        target = target_of(endpoint)
    except EgressRefused:
        return False
    first = target.path.partition("?")[0].strip("/").partition("/")[0].lower()
    if first not in {"", "openai", asker.account}:
        return False
    if target.host_header.lower() == asker.host:
        return True
    return domain_in(target.host, suffix) == asker.account


class OwnStores:
    """Searches vector stores as data sources."""

    def __init__(
        self, keeper: VectorStoreKeeper, searcher: StoreSearcher, relevance: Relevance
    ) -> None:
        self._keeper = keeper
        self._searcher = searcher
        self._relevance = relevance

    async def store(self, asker: Asker, wanted: str) -> StoredObject:
        """The store of that id or name, among those that the caller sees.

        Raises PermissionDenied, IndexNotFound, and DataSourceRefused where several have the name.
        """
        self._searcher.require_reader(asker.account_id, asker.principal)
        found = await self._keeper.find(asker.account_id, wanted, asker.sees)
        if found is not None:
            return found
        page = Page(limit=EVERY_STORE, owner=asker.sees)
        every = await self._keeper.list(asker.account_id, page)
        named = [each for each in every if each.body.get("name") == wanted]
        if not named:
            raise IndexNotFound(wanted)
        if len(named) > 1:
            ids = ", ".join(each.id for each in named[:5])
            raise DataSourceRefused(
                f"{len(named)} vector stores are named '{wanted[:100]}'. Give the id of one as "
                f"index_name: {ids}."
            )
        return named[0]

    async def search(
        self, asker: Asker, said: SearchParameters, store: StoredObject, query: str
    ) -> list[Document]:
        """What one query finds, the best first; `relevance` is told in deviations.

        Raises SearchFailed for a bad filter, and what StoreSearcher does.
        """
        deployment = str(store.body[DEPLOYMENT])
        _require_own_vectors(said, deployment, store)
        wanted = max(CANDIDATES_MIN, 2 * (said.top_n_documents or DOCUMENTS_DEFAULT))
        ask = _ask_of(said.query_type, query, min(CANDIDATES_MAX, wanted), said.filter)
        hits = await self._searcher.search(store, ask, asker.principal)
        if not hits:
            return []
        usual = await self._relevance.usual(asker, deployment)
        return [_document(each, said, query, usual) for each in hits]


def _ask_of(kind: QueryType | None, query: str, limit: int, said: str | None) -> SearchAsk:
    """Both ways together unless only one is asked for."""
    by_words = kind == "simple"
    return SearchAsk(
        queries=(query,),
        limit=limit,
        test=filter_of(said) if said and said.strip() else None,
        threshold=LEAST_SCORE if by_words else 0.0,
        embedding_weight=0.0 if by_words else 1.0,
        fused=kind != "vector",
        reranked=kind is None or kind in SEMANTIC,
    )


def _require_own_vectors(said: SearchParameters, deployment: str, store: StoredObject) -> None:
    """A store's vectors are compared with those of the deployment that made them.

    Raises SearchFailed.
    """
    told = said.embedding_dependency
    if told is None or told["type"] == "integrated":
        return
    if told["type"] == "deployment_name" and told["deployment_name"].lower() == deployment.lower():
        return
    raise SearchFailed(
        f"The vectors of vector store {store.id} are made by the deployment '{deployment}'. Leave "
        "embedding_dependency out, or say {'type': 'integrated'} or that deployment's name."
    )


def _document(hit: Hit, said: SearchParameters, query: str, usual: Usual) -> Document:
    fields, has = said.fields, hit.attributes
    return Document(
        content=hit.text,
        title=_told(has, fields.title_field or TITLE) or hit.filename,
        url=_told(has, fields.url_field or URL),
        filepath=_told(has, fields.filepath_field or FILEPATH) or hit.filename,
        chunk_id=str(hit.chunk_id),
        queries=(query,),
        score=hit.score,
        relevance=deviations(hit.similarity, usual),
    )


def _told(attributes: Attributes, name: str) -> str | None:
    value: Any = attributes.get(name)
    return None if value is None else str(value)
