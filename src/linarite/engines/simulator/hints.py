"""Values that a question offers for the fields of an object that is made up for it."""

from __future__ import annotations

import re
from typing import Any

from linarite.engines.simulator.json_schema.types import is_object

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,10})?(?![\w])")
_QUOTED = re.compile(
    r"""
    "([^"\n]{1,200})" | (?<!\w)'([^'\n]{1,200})'(?!\w) | “([^”\n]{1,200})” | `([^`\n]{1,200})`
    """,
    re.VERBOSE,
)
_NAME = r"[A-ZÀ-ÖØ-Þ][\w'\u2019.-]*(?<![.])(?:\ [A-ZÀ-ÖØ-Þ][\w'\u2019-]*)*(?:,\ [A-Z]{2}\b)?"
_PLACES = re.compile(rf"\bin\ ({_NAME}(?:(?:,\ (?:and\ )?|\ and\ ){_NAME})*)", re.VERBOSE)
_BETWEEN_PLACES = re.compile(r",\ (?:and\ )?(?![A-Z]{2}\b)|\ and\ ", re.VERBOSE)

_CALLED = re.compile(rf"\b(?:name\ is|named|called|I\ am|I['\u2019]m)\ ({_NAME})", re.VERBOSE)

_FREE_TEXT_FIELDS = frozenset(
    {"q", "query", "question", "input", "text", "prompt", "search", "topic", "message"}
)
_COUNTED_FIELD = re.compile(r"(?:^|_)(?:id|number|no|code|zip)$", re.IGNORECASE)


class Hints:
    """The numbers, quoted words, names and places of a question, given to fields as they come up.

    A field is recognised by its name and keeps what it was given. Where a question offers more
    numbers (or quoted words) than there are fields, the last ones are taken: people put examples
    first and what they want last.
    """

    def __init__(self, question: str, schema: dict[str, Any] | None = None) -> None:
        self.question = question.strip()
        self.numbers = [_number(found) for found in _NUMBER.findall(question)]
        self.quoted = ["".join(groups) for groups in _QUOTED.findall(question)]
        self.places = places_in(question)
        fields = _fields(schema or {})
        self._given: dict[tuple[str, str], list[Any]] = {}
        self._free_numbers = _last(self.numbers, _count(fields, {"number", "integer"}))
        self._free_quoted = _last(self.quoted, _count(fields, {"string"}))

    def for_number(self, field: str) -> list[Any]:
        """What a numeric field may be, best first."""
        key = (field, "number")
        if key not in self._given:
            self._given[key] = [self._free_numbers.pop(0)] if self._free_numbers else []
        return self._given[key]

    def for_string(self, field: str) -> list[Any]:
        """What a text field may be, best first."""
        key = (field, "string")
        if key not in self._given:
            self._given[key] = self._strings(field)
        return self._given[key]

    def mentions(self, value: object) -> bool:
        """Whether the question contains a value of an enumeration as a word."""
        if not isinstance(value, str) or not value:
            return False
        return bool(re.search(rf"(?<!\w){re.escape(value)}(?!\w)", self.question, re.IGNORECASE))

    def _strings(self, field: str) -> list[Any]:
        if self._free_quoted:
            return [self._free_quoted.pop(0)]
        if field.lower().endswith("name") and (called := _CALLED.findall(self.question)):
            return called[-1:]
        if field.lower() in _FREE_TEXT_FIELDS and self.question:
            return [self.question]
        if _COUNTED_FIELD.search(field) and self.numbers:
            return [str(self.numbers[-1])]
        return self.places[-1:]


def places_in(question: str) -> list[str]:
    """Capitalised names after "in": "in Paris, Rome and San Jose, CA" offers three."""
    found: list[str] = []
    for listed in _PLACES.findall(question):
        found += [place for place in _BETWEEN_PLACES.split(listed) if place not in found]
    return found


def _number(found: str) -> int | float:
    return float(found) if "." in found else int(found)


def _last(values: list[Any], count: int) -> list[Any]:
    return values[-count:] if count else list(values)


def _fields(schema: dict[str, Any]) -> list[Any]:
    properties = schema.get("properties")
    return list(properties.values()) if is_object(properties) else []


def _count(fields: list[Any], types: set[str]) -> int:
    return sum(
        is_object(field) and isinstance(field.get("type"), str) and field["type"] in types
        for field in fields
    )
