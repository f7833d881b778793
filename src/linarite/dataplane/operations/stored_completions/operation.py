"""Stored chat completions: list, get, messages, update, delete.

Sources: Azure OpenAI's "Stored completions", OpenAI's reference for the shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qsl

import msgspec

from linarite.dataplane.parts.checks import asked_limit, check_metadata
from linarite.dataplane.parts.decode import decode
from linarite.dataplane.parts.documents import DocumentReply, OfOneObject, list_document
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_completion_errors import NoSuchCompletion
from linarite.domain.stored_object import Page
from linarite.files.completions import Filter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject

READ = "Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/read"
CHANGE = "Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/action"
LIMIT, LIMIT_MAX = 20, 100
ORDERS = ("asc", "desc")
METADATA = "metadata["


class Listing(NamedTuple):
    """Which part of what."""

    call: Call
    page: Page
    wanted: Filter


class NewMetadata(msgspec.Struct, frozen=True):
    """What can be changed of one."""

    metadata: dict[str, str] | None


class ListCompletions:
    """Azure's and OpenAI's list of stored completions."""

    name = "StoredCompletions_List"
    action = READ
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        self._keeper, self._seen_by = kit.completions, kit.files.seen_by

    def parse(self, call: Call, body: bytes, facts: Facts) -> Listing:  # noqa: ARG002 - the port's shape
        """Which part of whose list. Raises InvalidRequest."""
        asked = _query(call)
        metadata = {
            name[len(METADATA) : -1]: value
            for name, value in asked.items()
            if name.startswith(METADATA) and name.endswith("]")
        }
        check_metadata(metadata)
        page = _page(asked, self._seen_by(call.principal))
        call.reply = DocumentReply()
        return Listing(call, page, Filter(model=asked.get("model", ""), metadata=metadata))

    async def run(self, ask: Listing, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The part of the list, and whether there is more."""
        page = msgspec.structs.replace(ask.page, limit=ask.page.limit + 1)
        found = await self._keeper.list(ask.call.account_id, page, ask.wanted)
        yield _list_of([document(each) for each in found], ask.page.limit)


class OneCompletion(OfOneObject):
    """What operations on one have in common."""

    action = READ

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        self._keeper, self._seen_by = kit.completions, kit.files.seen_by

    async def _completion(self, call: Call) -> StoredObject:
        """The one that is meant. Raises NoSuchCompletion."""
        wanted = call.path_arguments["completion_id"]
        found = await self._keeper.find(call.account_id, wanted, self._seen_by(call.principal))
        if found is None:
            raise NoSuchCompletion(wanted)
        return found


class GetCompletion(OneCompletion):
    """One of them."""

    name = "StoredCompletions_Get"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """As it was answered, with what was asked."""
        yield document(await self._completion(ask))


class ListMessages(OneCompletion):
    """The messages that one answered."""

    name = "StoredCompletions_GetMessages"

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, Page]:  # noqa: ARG002 - the port's shape
        """Which part. Raises InvalidRequest."""
        call.reply = DocumentReply()
        return call, _page(_query(call), None)

    async def run(
        self,
        ask: tuple[Call, Page],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        call, page = ask
        shown = messages_of(await self._completion(call))
        if not page.ascending:
            shown.reverse()
        ids = [each["id"] for each in shown]
        if page.after:
            shown = shown[ids.index(page.after) + 1 :] if page.after in ids else []
        yield _list_of(shown, page.limit)


class UpdateCompletion(OneCompletion):
    """Other metadata for one."""

    name = "StoredCompletions_Update"
    action = CHANGE
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        super().__init__(kit)
        self._decoder = msgspec.json.Decoder(NewMetadata)

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[Call, dict[str, str]]:  # noqa: ARG002 - the port's shape
        """The new metadata. Raises InvalidRequest."""
        metadata = decode(self._decoder, body).metadata or {}
        check_metadata(metadata)
        call.reply = DocumentReply()
        return call, metadata

    async def run(
        self,
        ask: tuple[Call, dict[str, str]],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """It with them, kept when this is told."""
        call, metadata = ask
        changed = await self._keeper.tell(await self._completion(call), metadata)
        if changed is None:
            raise NoSuchCompletion(call.path_arguments["completion_id"])
        yield document(changed)


class DeleteCompletion(OneCompletion):
    """An end to one."""

    name = "StoredCompletions_Delete"
    action = CHANGE

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told."""
        found = await self._completion(ask)
        if not await self._keeper.remove(found):
            raise NoSuchCompletion(found.id)
        yield {"object": "chat.completion.deleted", "id": found.id, "deleted": True}


def document(stored: StoredObject) -> dict[str, Any]:
    """A stored completion as it is shown."""
    body = stored.body
    return {**body["answer"], **body["asked"], "metadata": body["metadata"]}


def messages_of(stored: StoredObject) -> list[dict[str, Any]]:
    """The messages that were sent, each with an id; parts beside the text that they make up."""
    shown: list[dict[str, Any]] = []
    for number, message in enumerate(stored.body["messages"]):
        content, parts = message.get("content"), None
        if isinstance(content, list):
            parts = cast("list[dict[str, Any]]", content)
            content = "".join(str(each.get("text", "")) for each in parts)
        told: dict[str, Any] = {
            "id": f"{stored.id}-{number}",
            "name": None,
            "content_parts": parts,
        }
        shown.append({**told, **message, "content": content})
    return shown


def _query(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.query.decode("latin-1"), keep_blank_values=True))


def _page(asked: dict[str, str], owner: str | None) -> Page:
    order = asked.get("order", "asc")
    if order not in ORDERS:
        raise InvalidRequest(
            f"'{order[:20]}' is not one of {list(ORDERS)} - 'order'", param="order"
        )
    limit = asked_limit(asked, LIMIT, LIMIT_MAX)
    return Page(limit=limit, after=asked.get("after", ""), ascending=order == "asc", owner=owner)


def _list_of(found: Sequence[dict[str, Any]], limit: int) -> dict[str, Any]:
    return list_document(found[:limit], more=len(found) > limit)
