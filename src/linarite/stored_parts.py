"""What applications store with accounts: where it is kept, who keeps it, who tidies it up."""

from __future__ import annotations

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
from linarite.files.opening import open_files
from linarite.files.proof import ProvenObjects
from linarite.response_parts import ResponseParts
from linarite.storage.database import open_objects
from linarite.storage.sealed_objects import SealedStoredObjects
from linarite.storage.sqlite.stored_objects import SqliteStoredObjects

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from linarite.domain.engine import Capabilities
    from linarite.file_parts import Around
    from linarite.setting_tree import Settings


class StoredParts(msgspec.Struct, frozen=True):
    """What is stored, by those who keep it."""

    objects: StoredObjects
    files: FileKeeper
    file_parts: FileParts
    responses: ResponseParts
    box_of: Callable[[str], Awaitable[SecretBox | None]]
    """what seals what an account has, by its id"""
    batches: BatchParts

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
            completions=CompletionKeeper(self.objects, settings.stored_completions),
        )


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
    files = await open_files(stack, objects, home, settings.files, around.resources, seals)
    file_parts = await open_file_parts(stack, objects, files, around)
    batches = BatchParts(stack, home, settings, objects, files, seals)
    responses = ResponseParts(stack, objects, settings.responses)
    return StoredParts(objects, files, file_parts, responses, around.keys.box_of, batches)
