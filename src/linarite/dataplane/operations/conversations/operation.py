"""Conversations: create, get, update, delete, and their items.

Source: Azure OpenAI's v1 document. Items are shown as responses show theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.dataplane.parts.checks import check_metadata, too_long
from linarite.dataplane.parts.decode import decode, unknown_parameter
from linarite.dataplane.parts.documents import DocumentReply, list_document
from linarite.dataplane.parts.item_pages import asked_page, shown_page
from linarite.dataplane.parts.response_items import ItemIds, read_items
from linarite.domain.errors import InvalidRequest
from linarite.domain.response_errors import NoSuchConversation, NoSuchItem
from linarite.files.keeper import owner_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.dataplane.parts.response_items import Item
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject

ITEMS_AT_ONCE = 20


class Asked(NamedTuple):
    """A call with what its body said."""

    call: Call
    metadata: dict[str, str]
    items: list[Item]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What bodies of these operations may have."""

    metadata: dict[str, str] | None = None
    items: list[dict[str, Any]] | None = None


BODY = msgspec.json.Decoder(Body)


def understood(call: Call, body: bytes) -> Asked:
    """The body, checked. Raises InvalidRequest."""
    call.reply = DocumentReply()
    told = decode(BODY, body, unknown_parameter) if body else Body()
    check_metadata(told.metadata)
    given = told.items or []
    if len(given) > ITEMS_AT_ONCE:
        raise too_long("items", ITEMS_AT_ONCE, len(given))
    items = read_items(given, "items", ItemIds().new)
    for at, item in enumerate(items):
        if item["type"] == "item_reference":
            raise InvalidRequest(
                f"Invalid value: 'items[{at}]' must be an item, not a reference to one.",
                param=f"items[{at}].type",
                code="invalid_value",
            )
    return Asked(call, told.metadata or {}, items)


class Conversations:
    """What operations on conversations have in common."""

    name: str
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps conversations."""
        self._keeper = kit.conversations
        self._files = kit.files

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:  # noqa: ARG002 - the port's shape
        """See `understood`."""
        return understood(call, body)

    async def _conversation(self, call: Call) -> StoredObject:
        """The conversation that is meant. Raises NoSuchConversation."""
        wanted = call.path_arguments["conversation_id"]
        sees = self._files.seen_by(call.principal)
        found = await self._keeper.find(call.account_id, wanted, sees)
        if found is None:
            raise NoSuchConversation(wanted)
        return found


class CreateConversation(Conversations):
    """Azure's `createConversation`."""

    name = "Conversations_Create"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The new one. Raises AccountStorageFull, DiskNearlyFull."""
        call = ask.call
        await self._files.room.require(call.account_id)
        owner = owner_of(call.principal)
        yield document(await self._keeper.make(call.account_id, owner, ask.metadata, ask.items))


class UpdateConversation(Conversations):
    """Azure's `updateConversation`."""

    name = "Conversations_Update"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It with its new metadata."""
        found = await self._conversation(ask.call)
        changed = await self._keeper.describe(found, ask.metadata)
        if changed is None:  # it was deleted at this very moment
            raise NoSuchConversation(found.id)
        yield document(changed)


class AddItems(Conversations):
    """Azure's `createConversationItems`."""

    name = "Conversations_CreateItems"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The items as they were added. Raises AccountStorageFull, DiskNearlyFull."""
        found = await self._conversation(ask.call)
        await self._files.room.require(found.account_id)
        if not ask.items:
            raise InvalidRequest(
                "Missing required parameter: 'items'.",
                param="items",
                code="missing_required_parameter",
            )
        if not await self._keeper.add(found, ask.items):
            raise NoSuchConversation(found.id)
        yield list_document(ask.items, more=False)


class ReadConversations(Conversations):
    """What operations without a body have in common."""

    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/read"
    reads_body = False

    async def _item(self, call: Call, found: StoredObject) -> Item:
        """The item that is meant. Raises NoSuchItem."""
        wanted = call.path_arguments["item_id"]
        item = await self._keeper.item(found, wanted)
        if item is None:
            raise NoSuchItem(wanted, found.id)
        return item


class GetConversation(ReadConversations):
    """Azure's `retrieveConversation`."""

    name = "Conversations_Get"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """What is known of it."""
        yield document(await self._conversation(ask.call))


class DeleteConversation(ReadConversations):
    """Azure's `deleteConversation`; what was said in it goes with it."""

    name = "Conversations_Delete"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/delete"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told."""
        found = await self._conversation(ask.call)
        await self._keeper.remove(found)
        yield {"id": found.id, "object": "conversation.deleted", "deleted": True}


class ListItems(ReadConversations):
    """Azure's `listConversationItems`."""

    name = "Conversations_ListItems"

    def parse(self, call: Call, body: bytes, facts: Facts) -> Asked:
        """Which part. Raises InvalidRequest."""
        asked_page(call.query)
        return super().parse(call, body, facts)

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """A part of its items."""
        found = await self._conversation(ask.call)
        page = asked_page(ask.call.query)
        further = msgspec.structs.replace(page, limit=page.limit + 1)
        yield shown_page(await self._keeper.items(found, further), page)


class GetItem(ReadConversations):
    """Azure's `retrieveConversationItem`."""

    name = "Conversations_GetItem"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The item."""
        yield await self._item(ask.call, await self._conversation(ask.call))


class DeleteItem(ReadConversations):
    """Azure's `deleteConversationItem`."""

    name = "Conversations_DeleteItem"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/delete"

    async def run(self, ask: Asked, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The conversation without it."""
        found = await self._conversation(ask.call)
        item = await self._item(ask.call, found)
        await self._keeper.remove_item(found, item["id"])
        yield document(found)


def document(conversation: StoredObject) -> dict[str, Any]:
    """A conversation as it is shown."""
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": conversation.created_at,
        "metadata": conversation.body["metadata"],
    }
