"""Parts of lists of items, as queries ask for them and answers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from linarite.dataplane.parts.checks import asked_limit, one_of
from linarite.dataplane.parts.documents import list_document
from linarite.domain.stored_object import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.dataplane.parts.response_items import Item

LIMIT, LIMIT_MAX = 20, 100
ORDERS = ("asc", "desc")


def asked_page(query: bytes) -> Page:
    """The part that a query asks for: `limit`, `order`, `after`. Raises InvalidRequest."""
    asked = dict(parse_qsl(query.decode("latin-1")))
    order = asked.get("order", "desc")
    one_of("order", order, ORDERS)
    limit = asked_limit(asked, LIMIT, LIMIT_MAX, "invalid_value")
    return Page(limit=limit, after=asked.get("after", ""), ascending=order == "asc")


def part_of(items: Sequence[Item], page: Page, before: str = "") -> list[Item]:
    """That part of items which lie in memory, the oldest first; one more, if there is more."""
    ordered = list(items) if page.ascending else list(reversed(items))
    ids = [each["id"] for each in ordered]
    begin = ids.index(page.after) + 1 if page.after in ids else 0
    end = ids.index(before) if before in ids else len(ids)
    return ordered[begin:end][: page.limit + 1]


def shown_page(found: Sequence[Item], page: Page) -> dict[str, Any]:
    """A list's part as it is shown; `found` has one more, if there is more."""
    return list_document(found[: page.limit], more=len(found) > page.limit, no_id="")
