"""What all collections of the directory do alike: list, show, find by name, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from linarite.signin.directory.records import Application, Group, Record, ServicePrincipal, User
from linarite.signin.graph.callers import graph_caller, require
from linarite.signin.graph.filters import filter_of
from linarite.signin.graph.refusals import bad, no_such
from linarite.signin.graph.views import shown
from linarite.signin.request import Reply
from linarite.signin.router import BY_APP_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.principal import Principal
    from linarite.signin.desk import Desk
    from linarite.signin.request import Ask
    from linarite.signin.router import Act

PAGE_MAX = 999
PAGE = 100
COLLECTIONS: dict[str, type[Record]] = {
    "applications": Application,
    "servicePrincipals": ServicePrincipal,
    "users": User,
    "groups": Group,
}
NOUNS = {"applications": "application", "servicePrincipals": "service principal"}


async def admitted(ask: Ask, collection: str, desk: Desk) -> Principal:
    """The caller, who may do this. Raises GraphRefused."""
    principal = await graph_caller(ask, desk)
    require(principal, ask, collection, desk)
    return principal


def record_named(ask: Ask, collection: str, desk: Desk) -> Any:  # noqa: ANN401 - of its kind
    """The record that a path's `{id}` means: an object id, a user's name or a client id.

    Raises GraphRefused 404.
    """
    name = ask.names["id"]
    kind = COLLECTIONS[collection]
    found = desk.book.find(kind, name)
    if name.startswith(BY_APP_ID):
        app_id = name.removeprefix(BY_APP_ID)
        by_app_id = desk.book.application if kind is Application else desk.book.service_principal
        found = by_app_id(app_id)
    if found is None and kind is User:
        found = desk.book.user(name)
    if found is None:
        raise no_such(NOUNS.get(collection, collection.rstrip("s")), name)
    return found


def one(ask: Ask, collection: str, item: dict[str, Any], status: int = 200) -> Reply:
    """An object, with where it comes from."""
    context = f"{ask.base_url}/v1.0/$metadata#{collection}/$entity"
    return Reply(status=status, body={"@odata.context": context, **item})


def many(ask: Ask, collection: str, items: Sequence[dict[str, Any]]) -> Reply:
    """A page of objects: `$filter`, `$search`, `$top`, `$skiptoken`, `$count`.

    Raises GraphRefused for what is not understood.
    """
    query = ask.query
    fits = filter_of(query.get("$filter", ""))
    kept = [item for item in items if fits(item)]
    kept = _searched(kept, query.get("$search", ""))
    size = min(_number(query, "$top", PAGE), PAGE_MAX) or PAGE
    start = _number(query, "$skiptoken", 0)
    body: dict[str, Any] = {"@odata.context": f"{ask.base_url}/v1.0/$metadata#{collection}"}
    if query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(kept)
    if len(kept) > start + size:
        following = urlencode({**query, "$skiptoken": str(start + size)}, safe="$")
        body["@odata.nextLink"] = f"{ask.base_url}{quote(ask.path)}?{following}"
    return Reply(body=body | {"value": kept[start : start + size]})


def _searched(items: list[dict[str, Any]], search: str) -> list[dict[str, Any]]:
    """`"displayName:word"`: those whose name holds the word."""
    name, _, word = search.strip().strip('"').partition(":")
    if not word:
        return items
    return [item for item in items if word.lower() in str(item.get(name) or "").lower()]


def _number(query: dict[str, str], name: str, default: int) -> int:
    told = query.get(name, str(default))
    if not told.isdecimal() or len(told) > 9:  # noqa: PLR2004 - more than there can be
        raise bad(f"Invalid value '{told[:40]}' for {name}: it is a whole number.")
    return int(told)


def listing(collection: str) -> Act:
    """The GET of a collection."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        return many(
            ask, collection, [shown(each, desk) for each in desk.book.all(COLLECTIONS[collection])]
        )

    return act


def showing(collection: str) -> Act:
    """The GET of one."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        return one(ask, collection, shown(record_named(ask, collection, desk), desk))

    return act


def deleting(collection: str) -> Act:
    """The DELETE of one; its tokens are void at once."""

    async def act(ask: Ask, desk: Desk) -> Reply:
        await admitted(ask, collection, desk)
        async with desk.directory.turn:
            await desk.directory.remove(record_named(ask, collection, desk))
        return Reply(status=204)

    return act


def replaced(record: Any, fields: dict[str, Any]) -> Any:  # noqa: ANN401 - of its kind
    """A record with other fields; what was sent as null is emptied."""
    return msgspec.structs.replace(
        record, **{name: "" if value is None else value for name, value in fields.items()}
    )
