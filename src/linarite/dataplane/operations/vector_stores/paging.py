"""Which part of a list is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from linarite.dataplane.parts.checks import one_of, whole_number
from linarite.domain.errors import InvalidRequest
from linarite.domain.stored_object import Page
from linarite.domain.vector_store import STATUSES, FilePage, FileStatus

if TYPE_CHECKING:
    from linarite.dataplane.call import Call

LIST_MAX, LIST_USUAL = 100, 20


def store_page(call: Call, owner: str | None) -> Page:
    """Of stores, and one more than is shown. Raises InvalidRequest."""
    asked = _asked(call)
    if asked.get("before"):
        raise InvalidRequest(
            "'before' is not supported in lists of vector stores: turn the list round "
            "('order') and use 'after'.",
            param="before",
        )
    return Page(
        limit=_limit(asked) + 1,
        after=asked.get("after", ""),
        ascending=asked.get("order") == "asc",
        owner=owner,
    )


def file_page(call: Call, batch: str = "") -> FilePage:
    """Of a store's files, and one more than is shown. Raises InvalidRequest."""
    asked = _asked(call)
    status = asked.get("filter")
    if status is not None:
        one_of("filter", status, STATUSES)
    if asked.get("after") and asked.get("before"):
        raise InvalidRequest("Only one of 'after' and 'before' can be given.", param="before")
    return FilePage(
        limit=_limit(asked) + 1,
        after=asked.get("after", ""),
        before=asked.get("before", ""),
        ascending=asked.get("order") == "asc",
        status=cast("FileStatus | None", status),
        batch=batch,
    )


def _asked(call: Call) -> dict[str, str]:
    asked = dict(parse_qsl(call.query.decode("latin-1")))
    if "order" in asked:
        one_of("order", asked["order"], ("asc", "desc"))
    return asked


def _limit(asked: dict[str, str]) -> int:
    limit = asked.get("limit", str(LIST_USUAL))
    if not 1 <= whole_number(limit) <= LIST_MAX:
        raise InvalidRequest(f"'limit' must be an integer between 1 and {LIST_MAX}.", param="limit")
    return int(limit)
