"""The one step of ingestion: as long as files are coming, they are taken in, some at a time.

What a file has come to is one transaction of its store, so that a server that is killed begins
again with the files that had not come, and no chunk is there twice.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from linarite.domain.content_seals import ContentDamaged
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import LinariteError, ServiceUnavailable
from linarite.domain.jobs import INGEST_FILES, new_job
from linarite.domain.vector_store import Chunk, FilePage, FileProblem
from linarite.domain.vector_store_errors import EmbeddingBusy, FileUnreadable, NoSuchVectorStore
from linarite.files.keeper import EVERYBODY
from linarite.jobs.kind import Step
from linarite.vector_stores.chunking import pieces_of
from linarite.vector_stores.keeper import DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from linarite.domain.jobs import Job, JobProblem
    from linarite.domain.resource import Change
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import Embedder, StoreFile, TextExtractor
    from linarite.jobs.kind import Progress
    from linarite.vector_stores.keeper import VectorStoreKeeper

RESOURCE = "/vector_stores/"
ACCOUNT, STORE_ID = "account_id", "vector_store_id"
AT_ONCE = 8
"""files of one store"""
LISTED = 256
LOOKED_EVERY_S = 2.0
"""how often it is looked how the store stands, and what else is coming"""
EMBEDDED_AT_ONCE = 128
"""chunks between two looks whether the file is still wanted"""
STORE_RETRY_S = 5.0
WAIT_MAX_S = 30.0

log = structlog.get_logger("linarite.jobs")


def ingestion_job(store: StoredObject) -> Job:
    """The job that takes in what is coming into a store."""
    arguments = {ACCOUNT: store.account_id, STORE_ID: store.id}
    return new_job(INGEST_FILES, f"{RESOURCE}{store.id}", arguments=arguments)


class IngestFiles:
    """`Kind`: INGEST_FILES."""

    def __init__(
        self, keeper: VectorStoreKeeper, extractor: TextExtractor, embedder: Embedder
    ) -> None:
        self._keeper = keeper
        self._extractor = extractor
        self._embedder = embedder
        self.steps = (Step("ingest", 100, self._ingest),)

    async def _ingest(self, job: Job, progress: Progress) -> dict[str, Any]:
        self._keeper.being_filled(str(job.arguments[STORE_ID]))
        while True:
            try:
                store = await self._store(job)
                if store is None or self._keeper.is_over(store):
                    break
                if await self._take_some_in(store, progress):
                    return {}
            except NoSuchVectorStore:
                break
            except (ServiceUnavailable, CustomerKeyUnavailable) as refusal:
                log.warning("vector store waits for its disk or its key", reason=refusal.message)
                await asyncio.sleep(STORE_RETRY_S)
        self._keeper.given_up(str(job.arguments[STORE_ID]))
        return {}

    async def _take_some_in(self, store: StoredObject, progress: Progress) -> bool:
        """The next files that are coming; True when none is any more."""
        # An account may have come to ask for seals since these files were added.
        store = await self._keeper.sealed(store)
        index = self._keeper.index(store)
        counts, usage_bytes = await index.summary()
        await self._keeper.measured(store, usage_bytes)
        done = counts.total - counts.in_progress
        progress(done / max(1, counts.total), f"{done} of {counts.total} files")
        coming = await index.files(FilePage(limit=LISTED, ascending=True, status="in_progress"))
        if not coming and await self._keeper.filled(store):
            return True
        await self._take_all_in(store, coming)
        return False

    async def _take_all_in(self, store: StoredObject, coming: Sequence[StoreFile]) -> None:
        """Side by side; what has not begun after a while is looked at anew, with its store.

        Raises what taking one in does, once none is under way any more.
        """
        left = iter(coming)
        until = time.monotonic() + LOOKED_EVERY_S

        async def take() -> None:
            for each in left:
                await self._take_in(store, each)
                if time.monotonic() > until:
                    return

        takers = [asyncio.create_task(take()) for _ in range(AT_ONCE)]
        try:
            await asyncio.gather(*takers)
        finally:
            for each in takers:
                each.cancel()
            await asyncio.gather(*takers, return_exceptions=True)

    async def _take_in(self, store: StoredObject, file: StoreFile) -> None:
        problem, chunks = None, list[Chunk]()
        try:
            chunks = await self._chunks(store, file)
        except _NotWanted:
            return
        except FileUnreadable as unreadable:
            problem = unreadable.problem
        except (ServiceUnavailable, CustomerKeyUnavailable):
            raise
        except LinariteError as refusal:
            problem = FileProblem("server_error", refusal.message)
        except Exception:
            log.exception("file not taken in", file=file.file_id, resource=store.id)
            problem = FileProblem("server_error", "The server failed; its log says why.")
        await self._keeper.index(store).settle(file.file_id, chunks, problem)

    async def _chunks(self, store: StoredObject, file: StoreFile) -> list[Chunk]:
        await self._keeper.files.room.require(store.account_id)
        kept = await self._keeper.files.find(store.account_id, file.file_id, EVERYBODY)
        if kept is None:
            raise FileUnreadable(FileProblem("invalid_file", "The file was deleted."))
        try:
            text = await self._extractor.extract(
                file.filename, lambda: self._keeper.files.content(kept)
            )
        except KeyError:
            raise FileUnreadable(FileProblem("invalid_file", "The file was deleted.")) from None
        pieces = await asyncio.to_thread(lambda: list(pieces_of(text, file.chunking)))
        chunks: list[Chunk] = []
        for at in range(0, len(pieces), EMBEDDED_AT_ONCE):
            part = pieces[at : at + EMBEDDED_AT_ONCE]
            if at:
                await self._require_wanted(store, file)
            vectors = await self._vectors(store, file, [each.text for each in part])
            chunks += [
                Chunk(piece.start, piece.text, vector)
                for piece, vector in zip(part, vectors, strict=True)
            ]
        return chunks

    async def _vectors(self, store: StoredObject, file: StoreFile, texts: list[str]) -> list[bytes]:
        """Limits and a busy engine are waited out."""
        while True:
            try:
                return await self._embedder.embed(
                    store.account_id, file.maker, str(store.body[DEPLOYMENT]), texts, query=False
                )
            except EmbeddingBusy as busy:
                await asyncio.sleep(min(max(busy.wait_s, 0.05), WAIT_MAX_S))
                await self._require_wanted(store, file)

    async def _require_wanted(self, store: StoredObject, file: StoreFile) -> None:
        """Raise _NotWanted for a file that shall not come any more."""
        now = await self._keeper.index(store).file(file.file_id)
        if now is None or now.status != "in_progress":
            raise _NotWanted

    async def succeed(self, job: Job) -> list[Change]:  # noqa: ARG002 - the port's shape
        """Vector stores are no resources: there is nothing to change."""
        return []

    async def fail(self, job: Job, problem: JobProblem) -> list[Change]:
        """What was still coming has failed."""
        store = await self._store(job)
        with suppress(ContentDamaged):  # changed on the disk: nothing can be written there
            while store is not None:
                page = FilePage(limit=100, status="in_progress")
                coming = await self._keeper.index(store).files(page)
                if not coming:
                    break
                for each in coming:
                    told = FileProblem("server_error", problem.message)
                    await self._keeper.index(store).settle(each.file_id, [], told)
        self._keeper.given_up(str(job.arguments[STORE_ID]))
        return []

    async def after(self, job: Job) -> None:
        """Nothing is left behind."""

    async def recover(self, running: Collection[str]) -> list[Job]:
        """Jobs of stores that have none, for their server died when files had just been added.

        `running`: the resources of the jobs there are.
        """
        return [
            ingestion_job(each)
            for each in await self._keeper.waiting()
            if f"{RESOURCE}{each.id}" not in running
        ]

    async def _store(self, job: Job) -> StoredObject | None:
        account_id, store_id = str(job.arguments[ACCOUNT]), str(job.arguments[STORE_ID])
        return await self._keeper.find(account_id, store_id, EVERYBODY)


class _NotWanted(Exception):
    """The file was taken out, or its batch was cancelled."""
