"""The files of a vector store, one by one and in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.operations.vector_stores.ask import (
    read_attributes,
    read_batch,
    read_file,
)
from linarite.dataplane.operations.vector_stores.documents import (
    batch_document,
    content_document,
    file_document,
)
from linarite.dataplane.operations.vector_stores.operation import ACTIONS, OneStore
from linarite.dataplane.operations.vector_stores.paging import file_page
from linarite.dataplane.parts.documents import DocumentReply, list_document
from linarite.domain.vector_store_errors import NoSuchFileBatch, NoSuchStoreFile

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import (
        Attributes,
        FileBatch,
        FilePage,
        NewStoreFile,
        StoreFile,
    )

READ, WRITE, DELETE = (f"{ACTIONS}/files/{each}" for each in ("read", "write", "delete"))


class FilesOfStore(OneStore):
    """What operations on the files of a store have in common."""

    async def file_of(self, call: Call, store: StoredObject) -> StoreFile:
        """The file that is meant. Raises NoSuchStoreFile."""
        wanted = call.path_arguments["file_id"]
        found = await self._keeper.index(store).file(wanted)
        if found is None:
            raise NoSuchStoreFile(wanted, store.id)
        return found

    async def batch_of(self, call: Call, store: StoredObject) -> FileBatch:
        """The batch that is meant. Raises NoSuchFileBatch."""
        wanted = call.path_arguments["batch_id"]
        found = await self._keeper.index(store).batch(wanted)
        if found is None:
            raise NoSuchFileBatch(wanted, store.id)
        return found

    async def part(self, store: StoredObject, page: FilePage) -> dict[str, Any]:
        """A part of a list of files; `page` asks for one more than is shown."""
        found = await self._keeper.index(store).files(page)
        more = len(found) >= page.limit
        kept = found[-page.limit + 1 :] if page.before else found[: page.limit - 1]
        return list_document([file_document(each, store.id) for each in kept], more=more)


class CreateStoreFile(FilesOfStore):
    """Azure's `createVectorStoreFile`."""

    name = "createVectorStoreFile"
    action = WRITE
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, list[NewStoreFile]]:  # noqa: ARG002 - the port's shape
        """The file. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, read_file(call, body)

    async def run(
        self,
        ask: tuple[Call, list[NewStoreFile]],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The file as it comes. Raises NoSuchFileToAdd, and what VectorStoreKeeper does."""
        call, asked = ask
        store = await self.store_of(call)
        owner = self._keeper.files.seen_by(call.principal)
        new = await self._keeper.new_files(asked, call.account_id, owner)
        await self._keeper.add_files(store, new)
        found = await self._keeper.index(store).file(new[0].file_id)
        if found is None:
            raise NoSuchStoreFile(new[0].file_id, store.id)
        yield file_document(found, store.id)


class ListStoreFiles(FilesOfStore):
    """Azure's `listVectorStoreFiles`."""

    name = "listVectorStoreFiles"
    action = READ

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, FilePage]:  # noqa: ARG002 - the port's shape
        """Which part. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, file_page(call)

    async def run(
        self,
        ask: tuple[Call, FilePage],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        call, page = ask
        yield await self.part(await self.store_of(call), page)


class GetStoreFile(FilesOfStore):
    """Azure's `getVectorStoreFile`."""

    name = "getVectorStoreFile"
    action = READ

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The file as it stands."""
        store = await self.store_of(ask)
        yield file_document(await self.file_of(ask, store), store.id)


class UpdateStoreFile(FilesOfStore):
    """Azure's `updateVectorStoreFileAttributes`."""

    name = "updateVectorStoreFileAttributes"
    action = WRITE
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, Attributes]:  # noqa: ARG002 - the port's shape
        """The attributes. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, read_attributes(body)

    async def run(
        self,
        ask: tuple[Call, Attributes],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The file with them."""
        call, attributes = ask
        store = await self.store_of(call)
        file = await self.file_of(call, store)
        await self._keeper.index(store).set_attributes(file.file_id, attributes)
        yield file_document(await self.file_of(call, store), store.id)


class DeleteStoreFile(FilesOfStore):
    """Azure's `deleteVectorStoreFile`."""

    name = "deleteVectorStoreFile"
    action = DELETE

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is not in the store any more when this is told; the file itself stays."""
        store = await self.store_of(ask)
        file = await self.file_of(ask, store)
        await self._keeper.index(store).remove(file.file_id)
        await self._keeper.measured(store, (await self._keeper.index(store).summary())[1])
        yield {"id": file.file_id, "object": "vector_store.file.deleted", "deleted": True}


class GetStoreFileContent(FilesOfStore):
    """Azure's `retrieveVectorStoreFileContent`."""

    name = "retrieveVectorStoreFileContent"
    action = READ

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The text that was read out of it."""
        store = await self.store_of(ask)
        file = await self.file_of(ask, store)
        yield content_document(await self._keeper.index(store).text(file.file_id))


class CreateFileBatch(FilesOfStore):
    """Azure's `createVectorStoreFileBatch`."""

    name = "createVectorStoreFileBatch"
    action = WRITE
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, list[NewStoreFile]]:  # noqa: ARG002 - the port's shape
        """The files. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, read_batch(call, body)

    async def run(
        self,
        ask: tuple[Call, list[NewStoreFile]],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The batch as it comes. Raises NoSuchFileToAdd, and what VectorStoreKeeper does."""
        call, asked = ask
        store = await self.store_of(call)
        owner = self._keeper.files.seen_by(call.principal)
        new = await self._keeper.new_files(asked, call.account_id, owner)
        batch_id = await self._keeper.add_files(store, new, batch=True)
        found = await self._keeper.index(store).batch(batch_id)
        if found is None:
            raise NoSuchFileBatch(batch_id, store.id)
        yield batch_document(found, store.id)


class GetFileBatch(FilesOfStore):
    """Azure's `getVectorStoreFileBatch`."""

    name = "getVectorStoreFileBatch"
    action = READ

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The batch as it stands."""
        store = await self.store_of(ask)
        yield batch_document(await self.batch_of(ask, store), store.id)


class CancelFileBatch(FilesOfStore):
    """Azure's `cancelVectorStoreFileBatch`."""

    name = "cancelVectorStoreFileBatch"
    action = WRITE

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """Files that have not come yet come no more. A batch that is over stays as it is."""
        store = await self.store_of(ask)
        batch = await self.batch_of(ask, store)
        if batch.counts.in_progress:
            await self._keeper.index(store).cancel_batch(batch.id)
        yield batch_document(await self.batch_of(ask, store), store.id)


class ListFileBatchFiles(FilesOfStore):
    """Azure's `listFilesInVectorStoreBatch`."""

    name = "listFilesInVectorStoreBatch"
    action = READ

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, FilePage]:  # noqa: ARG002 - the port's shape
        """Which part. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, file_page(call, call.path_arguments["batch_id"])

    async def run(
        self,
        ask: tuple[Call, FilePage],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        call, page = ask
        store = await self.store_of(call)
        await self.batch_of(call, store)
        yield await self.part(store, page)
