"""Batches: create, list, get, cancel.

Sources: Azure OpenAI's v1 document, and its authoring reference of 2024-10-21.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.dataplane.operations.batches.ask import read_ask, read_listing
from linarite.dataplane.parts.documents import DocumentReply, OfOneObject, list_document
from linarite.domain.batch import shown
from linarite.domain.batch_errors import (
    CannotCancel,
    CannotCancelObject,
    NoSuchBatch,
    NoSuchBatchObject,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.batches import NewBatch
    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.operations.batches.ask import Listing
    from linarite.domain.batch import Batch
    from linarite.domain.facts import Facts

CREATED = 201
LOOKED_AT_ONCE = 100


class CreateBatch:
    """Azure's `Batch_Create`."""

    name = "Batch_Create"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/batch-jobs/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps batches."""
        self._keeper = kit.batches

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[NewBatch, str | None]:  # noqa: ARG002 - the port's shape
        """What is asked for, and whose files the maker sees. Raises InvalidRequest."""
        call.reply = DocumentReply(CREATED) if call.v1 else DocumentReply()
        return read_ask(call, body, self._keeper), self._keeper.seen_by(call.principal)

    async def run(
        self,
        ask: tuple[NewBatch, str | None],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The new batch. Raises NoSuchInput."""
        made = await self._keeper.create(*ask)
        yield shown(made, made.counts)


class ListBatches:
    """Azure's `Batch_List`."""

    name = "Batch_List"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/batch-jobs/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps batches."""
        self._keeper = kit.batches

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[str, Listing]:  # noqa: ARG002 - the port's shape
        """Which part of whose list. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call.account_id, read_listing(call, self._keeper.seen_by(call.principal))

    async def run(
        self,
        ask: tuple[str, Listing],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        account_id, listing = ask
        page = listing.page
        found = await self._found(account_id, listing)
        data = [shown(each, await self._keeper.counts(each)) for each in found[: page.limit - 1]]
        yield list_document(data, more=len(found) >= page.limit)

    async def _found(self, account_id: str, listing: Listing) -> list[Batch]:
        page, wanted = listing
        if wanted is None:
            return await self._keeper.list(account_id, page)
        matching: list[Batch] = []
        part = page
        while True:
            found = await self._keeper.list(account_id, part)
            matching += filter(wanted, found)
            if len(matching) >= page.limit or len(found) < part.limit:
                return matching[: page.limit]
            part = msgspec.structs.replace(part, after=found[-1].id, limit=LOOKED_AT_ONCE)


class OneBatch(OfOneObject):
    """What operations on one batch have in common."""

    name: str
    action: str

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps batches."""
        self._keeper = kit.batches

    async def _batch(self, call: Call) -> Batch:
        """The batch that is meant. Raises NoSuchBatch, NoSuchBatchObject."""
        wanted = call.path_arguments["batch_id"]
        owner = self._keeper.seen_by(call.principal)
        found = await self._keeper.find(call.account_id, wanted, owner)
        if found is None:
            raise _absent(call)
        return found


class GetBatch(OneBatch):
    """Azure's `Batch_Get`."""

    name = "Batch_Get"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/batch-jobs/read"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The batch as it stands."""
        found = await self._batch(ask)
        yield shown(found, await self._keeper.counts(found))


class CancelBatch(OneBatch):
    """Azure's `Batch_Cancel`."""

    name = "Batch_Cancel"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/batch-jobs/write"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is being cancelled. Raises CannotCancel, CannotCancelObject."""
        cancelled = await self._keeper.cancel(await self._batch(ask))
        if cancelled is None:
            raise _absent(ask)
        if cancelled.status not in {"cancelling", "cancelled"}:
            raise CannotCancelObject(cancelled) if ask.v1 else CannotCancel(cancelled)
        yield shown(cancelled, await self._keeper.counts(cancelled))


def _absent(call: Call) -> NoSuchBatch | NoSuchBatchObject:
    wanted = call.path_arguments["batch_id"]
    return NoSuchBatchObject(wanted) if call.v1 else NoSuchBatch(wanted)
