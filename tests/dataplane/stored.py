"""What operations are made with in tests that store nothing, or little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.batches import BatchKeeper
from linarite.batches.endpoints import ENDPOINTS
from linarite.batches.options import Batches
from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.dataplane.call import OperationKit
from linarite.domain.vector_store_errors import EmbeddingBusy
from linarite.files import FileKeeper
from linarite.files.completions import CompletionKeeper
from linarite.files.importing import FileImporter
from linarite.files.options import Files, StoredCompletions, WebhookEndpoints
from linarite.files.uploads import UploadKeeper
from linarite.files.webhook_endpoints import EndpointKeeper
from linarite.knowledge.azure_search import AzureSearch
from linarite.knowledge.finder import DocumentFinder
from linarite.knowledge.own_stores import OwnStores
from linarite.knowledge.relevance import Relevance
from linarite.knowledge.search_services import SearchServices
from linarite.knowledge.vectors import QueryVectors
from linarite.mcp import McpClient
from linarite.mcp.options import Mcp
from linarite.responses import BackgroundResponses, ConversationKeeper, ResponseKeeper
from linarite.responses.options import Responses
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.keys import MemoryKeyStore
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from linarite.storage.memory.vector_indexes import MemoryVectorIndexes
from linarite.vector_stores.embedding import DeploymentEmbedder
from linarite.vector_stores.extraction import ProcessExtractor
from linarite.vector_stores.keeper import VectorStoreKeeper
from linarite.vector_stores.options import VectorStores
from linarite.vector_stores.ranking import ChunkRanker
from linarite.vector_stores.search import StoreSearcher
from tests.vector_stores.reader_folder import reader_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from linarite.domain.engine import Capabilities
    from linarite.domain.principal import Principal
    from linarite.domain.resource import KeyStore


class Extractor:
    """`TextExtractor` that leaves no process behind."""

    async def extract(self, filename: str, content: Callable[[], AsyncIterator[bytes]]) -> str:
        """See TextExtractor."""
        extractor = ProcessExtractor(VectorStores(), reader_folder())
        try:
            return await extractor.extract(filename, content)
        finally:
            await extractor.close()


def kit_in_memory(
    capabilities_of: Callable[[str], Capabilities | None] = lambda _: None,
    *,
    accept_unknown_arguments: bool = False,
    keys: KeyStore | None = None,
) -> OperationKit:
    """Its keepers forget everything with the test."""
    objects = MemoryStoredObjects()
    box_of = (keys or MemoryKeyStore()).box_of
    files = FileKeeper(objects, MemoryBlobs(), Files())
    vectors = VectorStoreKeeper(objects, files, MemoryVectorIndexes(), VectorStores())
    embedder = DeploymentEmbedder(nobody, lambda _: None)
    searcher = StoreSearcher(vectors, embedder, ChunkRanker(0))
    search = AzureSearch(EgressDialer(EgressPolicy()), SearchServices({}), 1.0)
    documents = DocumentFinder(
        OwnStores(vectors, searcher, Relevance(embedder)),
        search,
        QueryVectors(embedder, search, "example"),
        "example",
    )
    return OperationKit(
        accept_unknown_arguments=accept_unknown_arguments,
        capabilities_of=capabilities_of,
        files=files,
        completions=CompletionKeeper(objects, StoredCompletions()),
        uploads=UploadKeeper(files, objects),
        responses=ResponseKeeper(objects, Responses()),
        conversations=ConversationKeeper(objects),
        background=BackgroundResponses(objects, Responses()),
        box_of=box_of,
        imports=FileImporter(files, objects, EgressDialer(EgressPolicy()), box_of),
        batches=BatchKeeper(objects, files, Batches(), ENDPOINTS),
        vector_stores=vectors,
        mcp=McpClient(EgressDialer(EgressPolicy()), Mcp()),
        vector_search=searcher,
        extractor=Extractor(),
        documents=documents,
        webhook_endpoints=EndpointKeeper(
            objects, box_of, WebhookEndpoints(), EgressDialer(EgressPolicy()).require_listed
        ),
    )


async def nobody(
    account_id: str, caller: Principal, body: bytes, *, background: bool
) -> tuple[int, bytes]:
    """`Asking` where nobody makes vectors."""
    del account_id, caller, body, background
    raise EmbeddingBusy("Nobody makes vectors.", 1)
