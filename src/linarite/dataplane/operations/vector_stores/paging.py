"""Which part of a list is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import parse_qsl

from linarite.dataplane.parts.checks import asked_limit, one_of
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_object import Page
from linarite.domain.vector_store import STATUSES, FilePage, FileStatus

if TYPE_CHECKING:
    from linarite.dataplane.call import Call

LIST_MAX, LIST_USUAL = 100, 20


class StorePage(NamedTuple):
    """A part of a list of stores."""

    page: Page
    backwards: bool
    """it ends before `page.after`: read the other way round, and turned to be shown"""


def store_page(call: Call, owner: str | None) -> StorePage:
    """Of stores, and one more than is shown. Raises InvalidRequest."""
    asked = _asked(call)
    backwards = bool(asked.get("before"))
    return StorePage(
        Page(
            limit=asked_limit(asked, LIST_USUAL, LIST_MAX) + 1,
            after=asked.get("before") or asked.get("after", ""),
            ascending=(asked.get("order") == "asc") != backwards,
            owner=owner,
        ),
        backwards,
    )


def file_page(call: Call, batch: str = "") -> FilePage:
    """Of a store's files, and one more than is shown. Raises InvalidRequest."""
    asked = _asked(call)
    status = asked.get("filter")
    if status is not None:
        one_of("filter", status, STATUSES)
    return FilePage(
        limit=asked_limit(asked, LIST_USUAL, LIST_MAX) + 1,
        after=asked.get("after", ""),
        before=asked.get("before", ""),
        ascending=asked.get("order") == "asc",
        status=cast("FileStatus | None", status),
        batch=batch,
    )


def _asked(call: Call) -> dict[str, str]:
    asked = dict(parse_qsl(call.query.decode("latin-1")))
    if asked.get("after") and asked.get("before"):
        raise InvalidRequest("Only one of 'after' and 'before' can be given.", param="before")
    if "order" in asked:
        one_of("order", asked["order"], ("asc", "desc"))
    return asked
