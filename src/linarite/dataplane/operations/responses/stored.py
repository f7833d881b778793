"""Responses that are stored: get, delete, cancel, and what went into them."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from linarite.dataplane.operations.responses.reply import EventsReply
from linarite.dataplane.parts.checks import whole_number
from linarite.dataplane.parts.documents import OfOneObject
from linarite.dataplane.parts.item_pages import asked_page, part_of, shown_page
from linarite.domain.errors import InvalidRequest
from linarite.domain.response_errors import NoSuchResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import Page, StoredObject


class OneResponse(OfOneObject):
    """What operations on one response have in common."""

    name: str
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/read"

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps responses."""
        self._keeper = kit.responses
        self._files = kit.files
        self._background = kit.background

    async def _response(self, call: Call) -> StoredObject:
        """The response that is meant. Raises NoSuchResponse."""
        wanted = call.path_arguments["response_id"]
        sees = self._files.seen_by(call.principal)
        found = await self._keeper.find(call.account_id, wanted, sees)
        if found is None:
            raise NoSuchResponse(wanted)
        return found


class GetResponse(OneResponse):
    """Azure's `getResponse`."""

    name = "Responses_Get"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[Any, None]:  # noqa: ARG002 - the port's shape
        """It as it stands; with `stream` its events behind `starting_after`."""
        found = await self._response(ask)
        asked = dict(parse_qsl(ask.query.decode("latin-1")))
        if asked.get("stream") != "true":
            yield found.body["response"]
            return
        after = _starting_after(asked)
        if not found.body.get("streamed"):
            raise InvalidRequest(
                "This response can't be streamed: it was not made with 'background' and 'stream'.",
                param="stream",
                code="invalid_value",
            )
        ask.reply = EventsReply()
        yield b""  # there may be none yet, or none any more
        async with aclosing(self._background.events.follow(found, after)) as frames:
            async for frame in frames:
                yield frame


def _starting_after(asked: dict[str, str]) -> int:
    said = asked.get("starting_after")
    if said is None:
        return -1
    after = whole_number(said)
    if after < 0:
        raise InvalidRequest(
            "'starting_after' must be the number of an event.",
            param="starting_after",
            code="invalid_value",
        )
    return after


class DeleteResponse(OneResponse):
    """Azure's `deleteResponse`."""

    name = "Responses_Delete"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/delete"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told."""
        found = await self._response(ask)
        if found.body["response"]["background"]:
            await self._background.forget(found)
        else:
            await self._keeper.remove(found)
        yield {"id": found.id, "object": "response.deleted", "deleted": True}


class CancelResponse(OneResponse):
    """Azure's `cancelResponse`."""

    name = "Responses_Cancel"
    action = "Microsoft.CognitiveServices/accounts/OpenAI/responses/write"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It as it ended. Raises InvalidRequest for one that was not made in the background."""
        found = await self._response(ask)
        response = found.body["response"]
        if not response["background"]:
            raise InvalidRequest("Cannot cancel a synchronous response.")
        yield (await self._background.cancel(found)).body["response"]


class ListInputItems(OneResponse):
    """Azure's `listInputItems`."""

    name = "Responses_ListInputItems"

    def parse(self, call: Call, body: bytes, facts: Facts) -> Call:
        """Which part. Raises InvalidRequest."""
        asked_page(call.query)
        return super().parse(call, body, facts)

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """A part of what its request had as input."""
        found = await self._response(ask)
        page: Page = asked_page(ask.query)
        before = dict(parse_qsl(ask.query.decode("latin-1"))).get("before", "")
        yield shown_page(part_of(found.body["input"], page, before), page)
