"""Chat over documents: what finds them in a whole server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.dataplane.direct import Busy, DirectRequest
from linarite.domain.batch_errors import AccountGone
from linarite.domain.errors import ServiceUnavailable
from linarite.knowledge.azure_search import AzureSearch
from linarite.knowledge.finder import DocumentFinder
from linarite.knowledge.own_stores import OwnStores
from linarite.knowledge.relevance import Relevance
from linarite.knowledge.search_services import SearchServices
from linarite.knowledge.vectors import QueryVectors

if TYPE_CHECKING:
    from linarite.dataplane.direct import DirectCalls
    from linarite.domain.dial import Dialer
    from linarite.knowledge.asker import Asker
    from linarite.setting_tree import Settings
    from linarite.vector_parts import VectorParts

CHAT = "/chat/completions"


class KnowledgeParts:
    """Everything about documents that chat is over. `answer_by` before anybody asks."""

    def __init__(self, settings: Settings, vectors: VectorParts, dialer: Dialer) -> None:
        """Raises SetupError for a search service that can't be one."""
        suffix, options = settings.server.domain, settings.data_sources
        services = SearchServices(settings.search_services)
        search = AzureSearch(dialer, services, options.search_s)
        stores = OwnStores(vectors.keeper, vectors.searcher, Relevance(vectors.embedder))
        query_vectors = QueryVectors(vectors.embedder, search, suffix)
        self.finder = DocumentFinder(stores, search, query_vectors, suffix)
        self._rewrites = options.rewrite_queries

    def answer_by(self, calls: DirectCalls) -> None:
        """From now on there is somebody who writes queries, where settings want that."""

        async def ask(asker: Asker, body: bytes) -> tuple[int, bytes]:
            asked = DirectRequest(asker.account_id, asker.principal, CHAT, body, in_batch=False)
            try:
                answer = await calls.answer(asked)
            except (Busy, AccountGone) as problem:
                raise ServiceUnavailable(str(problem)) from None
            return answer.status, answer.body

        if self._rewrites:
            self.finder.ask = ask
