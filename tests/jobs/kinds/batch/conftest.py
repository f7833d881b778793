"""Batches in memory, whose lines go the whole data path to an engine that follows a script."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite.batches import BatchKeeper, NewBatch
from linarite.batches.options import Batches
from linarite.dataplane.direct import DirectCalls
from linarite.domain.price_book import NO_PRICES
from linarite.domain.principal import Principal
from linarite.domain.usage_journal import NO_JOURNAL
from linarite.files import FileKeeper, NewFile
from linarite.files.keeper import EVERYBODY
from linarite.files.options import Files
from linarite.jobs.kinds.batch import BatchJob, BatchTools, batch_job
from linarite.jobs.kinds.batch.turns import Turns
from linarite.storage.memory.blobs import MemoryBlobs
from linarite.storage.memory.result_log import MemoryResultLog
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from tests.dataplane.rig import ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.batch import Batch, ResultLog
    from linarite.domain.blob import Blobs
    from linarite.domain.notice import Notice
    from linarite.domain.stored_object import StoredObjects
    from tests.dataplane.rig import Rig

    Stored = tuple[StoredObjects, Blobs, ResultLog]

KEY_HOLDER = Principal(kind="Key", name="key1")


class Told:
    """A `Notifier` that remembers."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notice: Notice) -> None:
        """Take it."""
        self.notices.append(notice)

    def tell_soon(self, notice: Notice) -> None:
        """Take it."""
        self.notices.append(notice)


@dataclass
class Bench:
    """All that batches need."""

    running: Rig
    keeper: BatchKeeper
    files: FileKeeper
    objects: StoredObjects
    tools: BatchTools
    told: Told

    @property
    def kind(self) -> BatchJob:
        """What runs them."""
        return BatchJob(lambda: self.tools)

    async def batch(self, count: int, *, maker: Principal = KEY_HOLDER, **body: Any) -> Batch:  # noqa: ANN401 - JSON
        """A new one, with so many lines."""
        said = {"model": "gpt", "messages": [{"role": "user", "content": "hello"}]} | body
        url = "/v1/chat/completions"
        lines = [
            json.dumps({"custom_id": f"t-{number}", "method": "POST", "url": url, "body": said})
            for number in range(count)
        ]

        async def content() -> AsyncIterator[bytes]:
            yield "\n".join(lines).encode()

        account_id = self.running.account_id
        new = NewFile(account_id=account_id, owner="", purpose="batch", filename="a.jsonl")
        file = await self.files.keep(new, await self.files.receive(account_id, content()))
        asked = NewBatch(
            account_id=account_id, maker=maker, owner="", endpoint=url, input_file_id=file.id
        )
        return await self.keeper.create(asked, EVERYBODY)

    async def carry_out(self, batch: Batch) -> Batch | None:
        """The batch once each step of its job is done."""
        kind, job = self.kind, batch_job(batch)
        for step in kind.steps:
            await step.run(job, lambda *_: None)
        await kind.after(job)
        return await self.keeper.find(batch.account_id, batch.id, EVERYBODY)

    async def lines(self, file_id: str) -> list[dict[str, Any]]:
        """Those of a file."""
        file = await self.files.find(self.running.account_id, file_id, EVERYBODY)
        assert file is not None
        content = b"".join([piece async for piece in self.files.content(file)])
        return [json.loads(each) for each in content.splitlines()]


@asynccontextmanager
async def bench(
    engine: ScriptedEngine | None = None,
    options: Batches | None = None,
    slots: int = 4,
    stored: Stored | None = None,
) -> AsyncIterator[Bench]:
    """A server that takes batches at each of its deployments; in memory, or as `stored`."""
    options = options or Batches(deployments="any")
    objects, blobs, results = stored or (MemoryStoredObjects(), MemoryBlobs(), MemoryResultLog())
    files = FileKeeper(objects, blobs, Files())
    told = Told()
    async with rig(engine) as running:
        plane = running.dataplane
        keeper = BatchKeeper(objects, files, options, ["/chat/completions"])
        tools = BatchTools(
            keeper=keeper,
            files=files,
            results=results,
            calls=DirectCalls(
                plane._router, plane.surface, running.records.append, NO_PRICES, NO_JOURNAL
            ),
            facts_of=running.facts.find_by_id,
            notifier=told,
            line_bytes_max=100_000,
            turns=Turns(lambda _: None, slots),
        )
        yield Bench(running, keeper, files, objects, tools, told)
