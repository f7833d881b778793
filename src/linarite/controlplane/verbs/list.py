"""GET on a collection, in pages."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

from linarite.controlplane.authorizing import readable
from linarite.controlplane.request import Answer
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.controlplane.wire import shown
from linarite.domain.arm_errors import bad_request
from linarite.domain.arm_id import collection_parent_id, parent_id, same_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface

Item = TypeVar("Item")

PAGE = 200
"""resources on a page, unless `$top` asks for fewer"""
TOP_DIGITS_MAX = 18


async def list_resources(
    request: ArmRequest, target: Target, row: ResourceType, surface: Surface
) -> Answer:
    """Those under the collection's scope, ordered by id; `nextLink` while there are more."""
    parent = await stored_parent_id(surface, collection_parent_id(target.path), row.type, "read")
    stored = await surface.resources.list_under(parent, row.type)
    if row.here_only:
        stored = [each for each in stored if same_id(parent_id(each.id), parent)]
    wanted = row.wanted(request.query)
    there = (*row.built_in(parent), *row.derived(surface, parent), *stored)
    seen = readable(surface, request.caller, there)
    by_key = {each.id.lower(): each for each in seen if wanted(each)}
    showing = surface.showing(request)
    return paged(sorted(by_key.items()), request, lambda resource: shown(resource, row, showing))


def paged(
    ordered: list[tuple[str, Item]], request: ArmRequest, show: Callable[[Item], dict[str, Any]]
) -> Answer:
    """The page that the request asks for, and the link to the next one where there is one.

    `ordered` are keys, rising, with what belongs to them. A page begins after a key, not at a
    count: what is made or deleted between two pages neither repeats nor hides others.
    """
    size = _top(request.query.get("$top"))
    after = _key_of(request.query.get("$skiptoken"))
    rest = [(key, item) for key, item in ordered if key > after]
    page = rest[:size]
    body: dict[str, Any] = {"value": [show(item) for _, item in page]}
    if len(rest) > size:
        body["nextLink"] = next_link(request, _token(page[-1][0]))
    return Answer(200, body)


def _top(told: str | None) -> int:
    if told is None:
        return PAGE
    if not told.isdecimal() or len(told) > TOP_DIGITS_MAX or int(told) < 1:
        raise bad_request(
            "InvalidQueryParameter", f"$top must be a whole number from 1; it is '{told[:40]}'."
        )
    return min(int(told), PAGE)


def next_link(request: ArmRequest, token: str) -> str:
    """Where what follows a page is asked for."""
    query = request.query | {"api-version": request.api_version, "$skiptoken": token}
    return f"{request.base_url}{quote(request.path)}?{urlencode(query, safe='$')}"


def _token(last_key: str) -> str:
    return base64.urlsafe_b64encode(last_key.encode()).decode()


def _key_of(token: str | None) -> str:
    if token is None:
        return ""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise bad_request(
            "InvalidSkipToken", "The $skiptoken is not one that a nextLink has given out."
        ) from None
