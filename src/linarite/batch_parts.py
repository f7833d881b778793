"""The Batch API of a whole server: what keeps batches, and what runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.batches import BatchKeeper
from linarite.batches.endpoints import ENDPOINTS
from linarite.dataplane.routes import ROUTES
from linarite.domain.jobs import RUN_BATCH
from linarite.jobs.kinds.batch import BatchJob, BatchTools, batch_job
from linarite.jobs.kinds.batch.turns import Turns
from linarite.storage.result_log import FolderResultLog
from linarite.storage.sealed_results import SealedResultLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.dataplane.direct import DirectCalls
    from linarite.dataplane.facts import FactsBook
    from linarite.domain.batch import Batch
    from linarite.domain.content_seals import ContentSeals
    from linarite.domain.engine import Capabilities
    from linarite.domain.jobs import JobStore
    from linarite.domain.notice import Notifier
    from linarite.domain.resource import ResourceStore
    from linarite.domain.stored_object import StoredObjects
    from linarite.files import FileKeeper
    from linarite.jobs.kind import Kind
    from linarite.setting_tree import Settings

FOLDER = "batches"


class BatchParts:
    """Everything about batches. `answer_by` before `recover`, that before anybody is served."""

    def __init__(
        self,
        stack: AsyncExitStack,
        home: Path,
        settings: Settings,
        objects: StoredObjects,
        files: FileKeeper,
        seals: ContentSeals,
    ) -> None:
        """Leaving `stack` closes the logs of results, once nobody reads them."""
        known = {each.template for each in ROUTES if each.method == "POST"}
        endpoints = [each for each in ENDPOINTS if each in known]
        self.keeper = BatchKeeper(objects, files, settings.batches, endpoints)
        self._job = BatchJob(self._tools_of)
        self.kinds: dict[str, Kind] = {RUN_BATCH: self._job}
        self._files = files
        self._settings = settings
        results = FolderResultLog(home / FOLDER)
        stack.callback(results.close)
        stack.push_async_callback(self.keeper.leave_finding_out)
        self._results = SealedResultLog(results, seals)
        self._tools: BatchTools | None = None

    def answer_by(
        self,
        calls: DirectCalls,
        facts: FactsBook,
        capabilities_of: Callable[[str], Capabilities | None],
        notifier: Notifier,
    ) -> None:
        """From now on there is somebody who answers lines."""
        self._tools = BatchTools(
            keeper=self.keeper,
            files=self._files,
            results=self._results,
            calls=calls,
            facts_of=facts.find_by_id,
            notifier=notifier,
            line_bytes_max=self._settings.limits.body_bytes_max,
            turns=Turns(capabilities_of, self._settings.batches.lines_at_once_max),
        )

    async def recover(self, resources: ResourceStore, jobs: JobStore) -> None:
        """Have batches run that wait, and every new one."""

        async def begin(batch: Batch) -> None:
            await resources.commit([], [batch_job(batch)])

        self.keeper.begin = begin
        running = {each.resource_id for each in await jobs.running("")}
        if lost := await self._job.recover(running):
            await resources.commit([], lost)

    def _tools_of(self) -> BatchTools:
        assert self._tools is not None  # noqa: S101 - no job begins before
        return self._tools
