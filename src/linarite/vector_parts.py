"""The vector stores of a whole server: what keeps them, what fills them, what searches them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from linarite.dataplane.direct import Busy, DirectRequest
from linarite.domain.batch_errors import AccountGone
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.jobs import INGEST_FILES
from linarite.domain.vector_store_errors import EmbeddingBusy, NoEmbeddingDeployment
from linarite.jobs.kinds.ingestion import IngestFiles, ingestion_job
from linarite.storage.vector_indexes import FolderVectorIndexes
from linarite.vector_stores.embedding import DeploymentEmbedder, embedding_deployment
from linarite.vector_stores.extraction import ProcessExtractor
from linarite.vector_stores.keeper import VectorStoreKeeper
from linarite.vector_stores.ranking import ChunkRanker
from linarite.vector_stores.reranking import DeploymentReranker
from linarite.vector_stores.search import StoreSearcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.dataplane.direct import DirectCalls
    from linarite.dataplane.facts import FactsBook
    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.engine import Capabilities
    from linarite.domain.facts import Facts
    from linarite.domain.jobs import JobStore
    from linarite.domain.principal import Principal
    from linarite.domain.resource import Committed, ResourceStore
    from linarite.domain.stored_object import StoredObject, StoredObjects
    from linarite.files import FileKeeper
    from linarite.jobs.kind import Kind
    from linarite.vector_stores.options import VectorStores

FOLDER = "vector_stores"
READERS = "readers"
"""where readers of files keep their native code"""
SWEEP_EVERY_S = 600.0
EMBEDDINGS, CHAT = "/embeddings", "/chat/completions"
SEARCH = "/vector_stores/any/search"

log = structlog.get_logger(__name__)


class VectorParts:
    """Everything about vector stores. `answer_by` before `recover`, and that before jobs begin."""

    def __init__(
        self,
        home: Path,
        options: VectorStores,
        objects: StoredObjects,
        files: FileKeeper,
        seals: ContentSeals,
    ) -> None:
        """Nothing runs yet."""
        indexes = FolderVectorIndexes(home / FOLDER)
        self.keeper = VectorStoreKeeper(objects, files, indexes, options, seals=seals)
        self._options = options
        self._calls: DirectCalls | None = None
        self._facts: FactsBook | None = None
        embedder = self.embedder = DeploymentEmbedder(self._ask, self._facts_of)
        ranker = ChunkRanker(options.cached_bytes_max)
        self.keeper.emptied = ranker.forget
        reranker = DeploymentReranker(self._judge, self._facts_of, options)
        self.searcher = StoreSearcher(self.keeper, embedder, ranker, self._require_reader, reranker)
        self.extractor = ProcessExtractor(options, home / READERS)
        self._job = IngestFiles(self.keeper, self.extractor, embedder)
        self.kinds: dict[str, Kind] = {INGEST_FILES: self._job}

    def answer_by(
        self,
        calls: DirectCalls,
        facts: FactsBook,
        capabilities_of: Callable[[str], Capabilities | None],
    ) -> None:
        """From now on there is somebody who makes vectors."""
        self._calls, self._facts = calls, facts

        def deployment_of(account_id: str) -> str:
            found = facts.find_by_id(account_id)
            if found is None:
                raise NoEmbeddingDeployment("")
            return embedding_deployment(found, self._options.embedding_deployment, capabilities_of)

        def context_of(instance: str) -> int:
            capabilities = capabilities_of(instance)
            return capabilities.context_tokens if capabilities is not None else 0

        self.keeper.deployment_of = deployment_of
        self.embedder.context_of = context_of

    async def recover(
        self, stack: AsyncExitStack, resources: ResourceStore, jobs: JobStore
    ) -> None:
        """Have files taken in that wait, and every new one; tidy up until `stack` is left."""

        async def begin(store: StoredObject) -> None:
            await resources.commit([], [ingestion_job(store)])

        self.keeper.begin = begin
        stack.push_async_callback(self.extractor.close)
        running = {each.resource_id for each in await jobs.running("")}
        if lost := await self._job.recover(running):
            await resources.commit([], lost)
        resources.subscribe(self._follow)
        task = asyncio.create_task(self._tidy(), name="vector stores")
        stack.push_async_callback(_ended, task)

    async def _follow(self, committed: Committed) -> None:
        """An account that is purged takes its stores with it: their objects are gone by now."""
        if committed.removed:
            await self.keeper.sweep()

    async def _tidy(self) -> None:
        while True:
            try:
                await self.keeper.sweep()
            except Exception as problem:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("vector stores were not tidied up", reason=str(problem))
            await asyncio.sleep(SWEEP_EVERY_S)

    def _facts_of(self, account_id: str) -> Facts | None:
        return self._facts.find_by_id(account_id) if self._facts is not None else None

    def _require_reader(self, account_id: str, caller: Principal) -> None:
        assert self._calls is not None  # noqa: S101 - nobody asks before
        try:
            self._calls.require(account_id, caller, SEARCH)
        except AccountGone:
            raise NoEmbeddingDeployment("") from None

    async def _ask(
        self, account_id: str, caller: Principal, body: bytes, *, background: bool
    ) -> tuple[int, bytes]:
        """`Asking`."""
        assert self._calls is not None  # noqa: S101 - nobody asks before
        asked = DirectRequest(account_id, caller, EMBEDDINGS, body, in_batch=background)
        try:
            answer = await self._calls.answer(asked)
        except Busy as busy:
            raise EmbeddingBusy(f"The embeddings have to wait: {busy}", busy.wait_s) from None
        except AccountGone:
            raise NoEmbeddingDeployment("") from None
        return answer.status, answer.body

    async def _judge(self, account_id: str, caller: Principal, body: bytes) -> tuple[int, bytes]:
        """`reranking.Asking`."""
        assert self._calls is not None  # noqa: S101 - nobody asks before
        asked = DirectRequest(account_id, caller, CHAT, body, in_batch=False)
        try:
            answer = await self._calls.answer(asked)
        except (Busy, AccountGone) as problem:
            raise ServiceUnavailable(str(problem)) from None
        return answer.status, answer.body


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
