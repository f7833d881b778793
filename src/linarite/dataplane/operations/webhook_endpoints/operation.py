"""Webhook endpoints: create, list, get, update, delete.

Source: Azure OpenAI's "Webhooks" (`/openai/v1/dashboard/webhook_endpoints`).
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from linarite.dataplane.parts.checks import asked_limit, empty_array, one_of
from linarite.dataplane.parts.decode import decode, unknown_parameter
from linarite.dataplane.parts.documents import DocumentReply, OfOneObject, list_document
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_object import Page
from linarite.domain.webhook_endpoint import EVENT_TYPES, NoSuchWebhookEndpoint
from linarite.files.keeper import owner_of
from linarite.files.webhook_endpoints import NewEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from linarite.dataplane.call import Call, OperationKit
    from linarite.domain.facts import Facts
    from linarite.domain.stored_object import StoredObject

ACTIONS = "Microsoft.CognitiveServices/accounts/OpenAI/webhook-endpoints"
NAME_MAX, URL_MAX = 256, 2048
LIST_MAX, LIST_USUAL = 100, 20
SHOWN_SECRET = 4
"""characters of a secret that tell which one it is"""


class NewAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that makes one."""

    name: str
    url: str
    event_types: list[str]


class ChangeAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body that changes one; what is left out, or null, stays."""

    name: str | None = None
    url: str | None = None
    event_types: list[str] | None = None


class Change(NamedTuple):
    """What shall change of which."""

    call: Call
    told: dict[str, object]


_new = msgspec.json.Decoder(NewAsk)
_change = msgspec.json.Decoder(ChangeAsk)


class CreateWebhookEndpoint:
    """A new one, with the secret that signs what is sent there."""

    name = "WebhookEndpoints_Create"
    action = f"{ACTIONS}/write"
    reads_body = True

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        self._keeper = kit.webhook_endpoints

    def parse(self, call: Call, body: bytes, facts: Facts) -> NewEndpoint:  # noqa: ARG002 - the port's shape
        """What is asked for. Raises InvalidRequest."""
        ask = decode(_new, body, unknown_parameter)
        _check(ask.name, ask.url, ask.event_types)
        self._keeper.require_url(call.account_id, ask.url)
        call.reply = DocumentReply()
        owner = owner_of(call.principal)
        return NewEndpoint(call.account_id, owner, ask.name, ask.url, ask.event_types)

    async def run(self, ask: NewEndpoint, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The endpoint, and this once its secret. Raises TooManyWebhookEndpoints."""
        made, secret = await self._keeper.make(ask)
        yield _document(made, secret) | {"signing_secret": _text_of(secret)}


class ListWebhookEndpoints:
    """Those of the account."""

    name = "WebhookEndpoints_List"
    action = f"{ACTIONS}/read"
    reads_body = False

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        self._keeper, self._seen_by = kit.webhook_endpoints, kit.files.seen_by

    def parse(self, call: Call, body: bytes, facts: Facts) -> tuple[str, Page]:  # noqa: ARG002 - the port's shape
        """Which part of whose list. Raises InvalidRequest."""
        asked = dict(parse_qsl(call.query.decode("latin-1")))
        limit = asked_limit(asked, LIST_USUAL, LIST_MAX)
        order = asked.get("order", "desc")
        one_of("order", order, ("asc", "desc"))
        call.reply = DocumentReply()
        return call.account_id, Page(
            limit=limit + 1,
            after=asked.get("after", ""),
            ascending=order == "asc",
            owner=self._seen_by(call.principal),
        )

    async def run(
        self,
        ask: tuple[str, Page],
        slot: object,  # noqa: ARG002 - the port's shape
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The part of the list, and whether there is more."""
        account_id, page = ask
        found = await self._keeper.list(account_id, page)
        shown = [await self._shown(each) for each in found[: page.limit - 1]]
        yield list_document(shown, more=len(found) >= page.limit)

    async def _shown(self, found: StoredObject) -> dict[str, Any]:
        return _document(found, await self._keeper.secret_of(found))


class OneEndpoint(OfOneObject):
    """What operations on one have in common."""

    action = f"{ACTIONS}/write"

    def __init__(self, kit: OperationKit) -> None:
        """Take who keeps them."""
        self._keeper, self._seen_by = kit.webhook_endpoints, kit.files.seen_by

    async def _endpoint(self, call: Call) -> StoredObject:
        """The one that is meant. Raises NoSuchWebhookEndpoint."""
        wanted = call.path_arguments["webhook_endpoint_id"]
        found = await self._keeper.find(call.account_id, wanted, self._seen_by(call.principal))
        if found is None:
            raise NoSuchWebhookEndpoint(wanted)
        return found

    async def _shown(self, found: StoredObject) -> dict[str, Any]:
        return _document(found, await self._keeper.secret_of(found))


class GetWebhookEndpoint(OneEndpoint):
    """One of them."""

    name = "WebhookEndpoints_Get"
    action = f"{ACTIONS}/read"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The endpoint, without its secret."""
        yield await self._shown(await self._endpoint(ask))


class UpdateWebhookEndpoint(OneEndpoint):
    """Another name, address or choice of events; the secret stays."""

    name = "WebhookEndpoints_Update"
    reads_body = True

    def parse(self, call: Call, body: bytes, facts: Facts) -> Change:  # noqa: ARG002 - the port's shape
        """What shall change. Raises InvalidRequest."""
        ask = decode(_change, body or b"{}", unknown_parameter)
        _check(ask.name, ask.url, ask.event_types)
        if ask.url is not None:
            self._keeper.require_url(call.account_id, ask.url)
        call.reply = DocumentReply()
        said = msgspec.structs.asdict(ask)
        return Change(call, {name: value for name, value in said.items() if value is not None})

    async def run(self, ask: Change, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """The endpoint as it is now; what waits goes to where it is now. Raises as `_endpoint`."""
        found = await self._endpoint(ask.call)
        changed = await self._keeper.change(found, ask.told)
        if changed is None:
            raise NoSuchWebhookEndpoint(found.id)
        yield await self._shown(changed)


class DeleteWebhookEndpoint(OneEndpoint):
    """It hears no more, of what waits neither."""

    name = "WebhookEndpoints_Delete"
    action = f"{ACTIONS}/delete"

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002 - the port's shape
        """It is gone when this is told. Raises NoSuchWebhookEndpoint."""
        found = await self._endpoint(ask)
        if not await self._keeper.remove(found):
            raise NoSuchWebhookEndpoint(found.id)
        yield {"id": found.id, "object": "webhook.endpoint.deleted", "deleted": True}


def _document(found: StoredObject, secret: bytes) -> dict[str, Any]:
    return {
        "id": found.id,
        "object": "webhook.endpoint",
        "created_at": found.created_at,
        "name": found.body["name"],
        "url": found.body["url"],
        "event_types": found.body["event_types"],
        "signing_secret_hint": f"whsec_...{_text_of(secret)[-SHOWN_SECRET:]}",
    }


def _text_of(secret: bytes) -> str:
    return "whsec_" + b64encode(secret).decode()


def _check(name: str | None, url: str | None, event_types: list[str] | None) -> None:
    for param, text, most in (("name", name, NAME_MAX), ("url", url, URL_MAX)):
        if text is not None and not 1 <= len(text) <= most:
            raise InvalidRequest(
                f"Invalid '{param}': between 1 and {most} characters.",
                param=param,
                code="invalid_value",
            )
    if event_types is not None:
        if not event_types:
            raise empty_array("event_types")
        for at, each in enumerate(event_types):
            one_of(f"event_types[{at}]", each, EVENT_TYPES)
