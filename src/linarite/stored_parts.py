"""What applications store with accounts: where it is kept, who keeps it, who tidies it up."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from linarite.batch_parts import BatchParts
from linarite.dataplane.call import OperationKit
from linarite.domain.secret_box import SecretBox
from linarite.domain.stored_object import StoredObjects
from linarite.file_parts import FileParts, open_file_parts, open_seals
from linarite.files import FileKeeper
from linarite.files.completions import CompletionKeeper
from linarite.files.opening import tidy_files
from linarite.files.proof import ProvenObjects
from linarite.files.room import Disk, Room
from linarite.files.webhook_endpoints import EndpointKeeper
from linarite.knowledge_parts import KnowledgeParts
from linarite.mcp import McpClient
from linarite.response_parts import ResponseParts
from linarite.responses.prompts import PromptBook
from linarite.storage.blobs import FolderBlobs
from linarite.storage.database import open_objects
from linarite.storage.sealed_objects import SealedStoredObjects
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects
from linarite.vector_parts import VectorParts

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.domain.engine import Capabilities
    from linarite.domain.jobs import JobStore
    from linarite.domain.resource import ResourceStore
    from linarite.file_parts import Around
    from linarite.jobs.kind import Kind
    from linarite.setting_tree import Settings


FOLDER = "files"


class StoredParts(msgspec.Struct, frozen=True):
    """What is stored, by those who keep it."""

    objects: StoredObjects
    files: FileKeeper
    file_parts: FileParts
    responses: ResponseParts
    box_of: Callable[[str], Awaitable[SecretBox | None]]
    """what seals what an account has, by its id"""
    batches: BatchParts
    vectors: VectorParts
    mcp: McpClient
    knowledge: KnowledgeParts
    webhook_endpoints: EndpointKeeper

    def kit(
        self, settings: Settings, capabilities_of: Callable[[str], Capabilities | None]
    ) -> OperationKit:
        """What operations of the data plane are made with."""
        return OperationKit(
            accept_unknown_arguments=settings.limits.accept_unknown_arguments,
            capabilities_of=capabilities_of,
            files=self.files,
            uploads=self.file_parts.uploads,
            imports=self.file_parts.imports,
            responses=self.responses.keeper,
            conversations=self.responses.conversations,
            background=self.responses.background,
            box_of=self.box_of,
            batches=self.batches.keeper,
            completions=CompletionKeeper(
                self.objects, settings.stored_completions, room=self.files.room
            ),
            vector_stores=self.vectors.keeper,
            vector_search=self.vectors.searcher,
            extractor=self.vectors.extractor,
            mcp=self.mcp,
            documents=self.knowledge.finder,
            webhook_endpoints=self.webhook_endpoints,
            prompts=PromptBook(settings.responses.prompts),
        )

    @property
    def kinds(self) -> dict[str, Kind]:
        """Those of the jobs that work on it."""
        return {**self.batches.kinds, **self.vectors.kinds}

    async def recover(
        self, stack: AsyncExitStack, resources: ResourceStore, jobs: JobStore
    ) -> None:
        """Have that gone on with which waits for jobs; before anybody asks for more."""
        await self.batches.recover(resources, jobs)
        await self.vectors.recover(stack, resources, jobs)


async def open_stored(
    stack: AsyncExitStack, home: Path, settings: Settings, around: Around
) -> StoredParts:
    """Open what is stored, tidying up until `stack` is left. Raises SetupError."""
    database = open_objects(home)
    stack.push_async_callback(database.close)
    seals = await open_seals(around, settings.files)
    sealed = SealedStoredObjects(SqliteStoredObjects(database), seals)
    objects = ProvenObjects(sealed, around.trail)
    around.held.add(objects)
    storage = settings.storage
    disk = Disk(storage.free_bytes_min, lambda: shutil.disk_usage(home).free)
    room = Room(objects, storage, settings.files.total_bytes_max, disk)
    around.held.use_of = room.use_of
    await objects.sizes("")  # read once; from here on they are known without asking
    blobs = FolderBlobs(home / FOLDER)
    files = FileKeeper(objects, blobs, settings.files, seals=seals, room=room)
    await tidy_files(stack, files, around.resources)
    file_parts = await open_file_parts(stack, objects, files, around)
    batches = BatchParts(stack, home, settings, objects, files, seals)
    responses = ResponseParts(stack, objects, settings.responses)
    vectors = VectorParts(home, settings.vector_stores, objects, files, seals)
    mcp = McpClient(around.dialer, settings.mcp)
    stack.push_async_callback(mcp.stop)
    knowledge = KnowledgeParts(settings, vectors, around.dialer)
    box_of = around.keys.box_of
    listed = around.dialer.require_listed
    told = EndpointKeeper(objects, box_of, settings.webhook_endpoints, listed)
    return StoredParts(
        objects, files, file_parts, responses, box_of, batches, vectors, mcp, knowledge, told
    )
