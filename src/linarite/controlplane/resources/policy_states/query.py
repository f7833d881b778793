"""OData options of a query: `$filter`, `$orderby`, `$select`, `$top`, `$skiptoken`, `$expand`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.domain.arm_errors import bad_request

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest

PAGE = 1000
"""records on a page, Azure's own number"""
DIGITS_MAX = 9
DETAILS = "policyevaluationdetails"
TERM = re.compile(r"(\w+)\s+(eq|ne)\s+(?:'((?:[^']|'')*)'|(true|false))", re.IGNORECASE)
LINK = re.compile(r"\s+and\s+", re.IGNORECASE)


class Query(msgspec.Struct, frozen=True):
    """What a query wants."""

    terms: tuple[tuple[str, bool, str], ...]
    """property, whether it must equal, value; all of them hold"""
    order: tuple[str, bool] | None
    """property, whether the highest comes first"""
    select: tuple[str, ...]
    top: int
    start: int
    details: bool


def read_query(request: ArmRequest) -> Query:
    """The options of a request. Raises ArmError for what is not understood."""
    given = request.query
    if given.get("$apply"):
        raise bad_request(
            "InvalidApplyInQueryString",
            "$apply is not supported: use summarize, or query all and count.",
        )
    order = _order(given.get("$orderby", ""))
    return Query(
        terms=tuple(_terms(given.get("$filter", ""))),
        order=order,
        select=tuple(each.strip() for each in given.get("$select", "").split(",") if each.strip()),
        top=_number(given, "$top", PAGE) or PAGE,
        start=_number(given, "$skiptoken", 0),
        details=DETAILS in given.get("$expand", "").lower(),
    )


def _terms(text: str) -> list[tuple[str, bool, str]]:
    if not text.strip():
        return []
    found: list[tuple[str, bool, str]] = []
    for part in LINK.split(text.strip()):
        match = TERM.fullmatch(part.strip())
        if match is None:
            raise bad_request(
                "InvalidFilterInQueryString",
                f"The filter '{part[:200]}' is not understood; use property eq 'value' or property "
                "ne 'value', joined by and.",
            )
        value = match[4] or match[3].replace("''", "'")
        found.append((match[1].lower(), match[2].lower() == "eq", value.lower()))
    return found


def _order(text: str) -> tuple[str, bool] | None:
    words = text.replace(",", " ").split()
    if not words:
        return None
    if len(words) > 2 or (len(words) == 2 and words[1].lower() not in {"asc", "desc"}):  # noqa: PLR2004 - a name and a direction
        raise bad_request(
            "InvalidOrderByInQueryString", "$orderby takes one property, with asc or desc after it."
        )
    return words[0].lower(), words[-1].lower() == "desc"


def _number(given: dict[str, str], name: str, usual: int) -> int:
    text = given.get(name)
    if text is None:
        return usual
    if not text.isdecimal() or len(text) > DIGITS_MAX:
        raise bad_request(
            "InvalidQueryParameter", f"{name} must be a whole number; it is '{text[:40]}'."
        )
    return int(text)


def fits(record: dict[str, Any], query: Query) -> bool:
    """Whether a record is wanted."""
    lowered = {key.lower(): value for key, value in record.items()}
    return all((_text(lowered.get(name)) == value) == equal for name, equal, value in query.terms)


def ordered(records: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    """In the order that is wanted, else as they come."""
    if query.order is None:
        return records
    name, falling = query.order

    def key(record: dict[str, Any]) -> str:
        return next((_text(value) for word, value in record.items() if word.lower() == name), "")

    return sorted(records, key=key, reverse=falling)


def selected(record: dict[str, Any], query: Query) -> dict[str, Any]:
    """The properties that are wanted."""
    if not query.select:
        return record
    wanted = {each.lower() for each in query.select}
    return {
        key: value
        for key, value in record.items()
        if key.lower() in wanted or key.startswith("@odata")
    }


def _text(value: object) -> str:
    return str(value).lower()
