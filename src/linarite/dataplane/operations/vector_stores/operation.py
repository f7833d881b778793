"""Vector stores: create, list, get, update, delete, search.

Sources: Azure OpenAI's v1 document, and its preview reference of 2025-03-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.dataplane.operations.vector_stores.ask import read_change, read_query, read_store
from linarite.dataplane.operations.vector_stores.documents import (
    results_document,
    store_document,
)
from linarite.dataplane.operations.vector_stores.paging import store_page
from linarite.dataplane.parts.documents import DocumentReply, OfOneObject, list_document
from linarite.domain.vector_store_errors import NoSuchVectorStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.vector_stores.paging import StorePage
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject
    from linarite.domain.vector_store import NewStoreFile
    from linarite.vector_stores.keeper import NewStore, VectorStoreKeeper
    from linarite.vector_stores.search import SearchAsk

ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI/assistants/vector_stores"


async def shown(keeper: VectorStoreKeeper, store: StoredObject) -> dict[str, Any]:
    """A store as it stands now."""
    counts, usage_bytes = await keeper.index(store).summary()
    return store_document(store, counts, usage_bytes, over=keeper.is_over(store))


class CreateVectorStore:
    """Azure's `createVectorStore`."""

    name = "createVectorStore"
    action = f"{ACTIONS}/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps stores."""
        self._keeper = kit.vector_stores

    def parse(
        self,
        call: Call,
        body: bytes,
        facts: Facts,  # noqa: ARG002 - the port's shape
    ) -> tuple[NewStore, list[NewStoreFile], str | None]:
        """What is asked for, and whose files the maker sees. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return *read_store(call, body), self._keeper.files.seen_by(call.principal)

    async def run(
        self,
        ask: tuple[NewStore, list[NewStoreFile], str | None],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The new store. Raises what VectorStoreKeeper does."""
        new, files, owner = ask
        named = await self._keeper.new_files(files, new.account_id, owner)
        made = await self._keeper.create(new)
        if named:
            await self._keeper.add_files(made, named)
        yield await shown(self._keeper, made)


class ListVectorStores:
    """Azure's `listVectorStores`."""

    name = "listVectorStores"
    action = f"{ACTIONS}/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps stores."""
        self._keeper = kit.vector_stores

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[str, StorePage]:  # noqa: ARG002 - the port's shape
        """Which part of whose list. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call.account_id, store_page(call, self._keeper.files.seen_by(call.principal))

    async def run(
        self,
        ask: tuple[str, StorePage],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        account_id, (page, backwards) = ask
        found = await self._keeper.list(account_id, page)
        part = [await shown(self._keeper, each) for each in found[: page.limit - 1]]
        if backwards:
            part.reverse()
        yield list_document(part, more=len(found) >= page.limit)


class OneStore(OfOneObject):
    """What operations on one store have in common."""

    name: str
    action: str

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps stores, and who searches them."""
        self._keeper = kit.vector_stores
        self._searcher = kit.vector_search

    async def store_of(self, call: Call) -> StoredObject:
        """The store that is meant. Raises NoSuchVectorStore."""
        wanted = call.path_arguments["vector_store_id"]
        owner = self._keeper.files.seen_by(call.principal)
        found = await self._keeper.find(call.account_id, wanted, owner)
        if found is None:
            raise NoSuchVectorStore(wanted)
        return found


class GetVectorStore(OneStore):
    """Azure's `getVectorStore`."""

    name = "getVectorStore"
    action = f"{ACTIONS}/read"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The store as it stands."""
        yield await shown(self._keeper, await self.store_of(ask))


class UpdateVectorStore(OneStore):
    """Azure's `modifyVectorStore`."""

    name = "modifyVectorStore"
    action = f"{ACTIONS}/write"
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, dict[str, Any]]:  # noqa: ARG002 - the port's shape
        """What shall change. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, read_change(body)

    async def run(
        self,
        ask: tuple[Call, dict[str, Any]],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The store as it is now. Raises NoSuchVectorStore, VectorStoreExpired."""
        call, told = ask
        store = await self.store_of(call)
        self._keeper.require_live(store)
        yield await shown(self._keeper, await self._keeper.change(store, told))


class DeleteVectorStore(OneStore):
    """Azure's `deleteVectorStore`."""

    name = "deleteVectorStore"
    action = f"{ACTIONS}/delete"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told. Files stay."""
        store = await self.store_of(ask)
        await self._keeper.remove(store)
        yield {"id": store.id, "object": "vector_store.deleted", "deleted": True}


class SearchVectorStore(OneStore):
    """Azure's `searchVectorStore`."""

    name = "searchVectorStore"
    action = f"{ACTIONS}/read"
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, SearchAsk]:  # noqa: ARG002 - the port's shape
        """What is looked for. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, read_query(body)

    async def run(
        self,
        ask: tuple[Call, SearchAsk],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """What was found. Raises what StoreSearcher does."""
        call, wanted = ask
        assert call.principal is not None  # noqa: S101 - whoever asks has been let in
        hits = await self._searcher.search(await self.store_of(call), wanted, call.principal)
        yield results_document(wanted.queries, hits)
