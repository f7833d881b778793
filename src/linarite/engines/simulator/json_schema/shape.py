"""Refuses what is no JSON schema, so that everything after it can rely on keywords' types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.types import (
    UnsatisfiableSchema,
    as_list,
    is_list,
    is_number,
    is_object,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


def require_schema(schema: object) -> None:
    """Raises UnsatisfiableSchema that names the place and what must stand there."""
    pending: list[tuple[str, Any]] = [("#", schema)]
    while pending:
        place, current = pending.pop()
        if isinstance(current, bool):
            continue
        if not is_object(current):
            raise UnsatisfiableSchema(f"{place} must be an object or a boolean.")
        for keyword, value in current.items():
            rule = _RULES.get(keyword)
            if rule and not rule[1](value):
                raise UnsatisfiableSchema(f"{place}/{keyword} must be {rule[0]}.")
            pending += _inner(f"{place}/{keyword}", keyword, value)


def _inner(
    place: str,
    keyword: str,
    value: Any,  # noqa: ANN401 - its keyword has told its type
) -> Iterator[tuple[str, Any]]:
    if keyword in _HOLDS_MAP:
        yield from ((f"{place}/{name}", inner) for name, inner in value.items())
    elif keyword in _HOLDS_LIST or (keyword == "items" and is_list(value)):
        yield from ((f"{place}/{at}", inner) for at, inner in enumerate(value))
    elif keyword in _HOLDS_ONE:
        yield place, value


_HOLDS_MAP = ("properties", "$defs", "definitions", "dependentSchemas")
_HOLDS_LIST = ("allOf", "anyOf", "oneOf", "prefixItems")
_HOLDS_ONE = (
    "items",
    "additionalItems",
    "additionalProperties",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
)


def _is_count(value: object) -> bool:
    return is_number(value) and value >= 0 and value == int(value)


def _is_names(value: object) -> bool:
    return is_list(value) and all(isinstance(name, str) for name in value)


def _is_filled(value: object) -> bool:
    return is_list(value) and bool(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_RULES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "type": (
        f"one or more of {', '.join(TYPES)}",
        lambda value: value != [] and all(n in TYPES for n in as_list(value)),
    ),
    "enum": ("a list with at least one value", _is_filled),
    "required": ("a list of names", _is_names),
    "dependentRequired": (
        "an object of lists of names",
        lambda value: is_object(value) and all(map(_is_names, value.values())),
    ),
    "uniqueItems": ("true or false", lambda value: isinstance(value, bool)),
    "multipleOf": ("a number above 0", lambda value: is_number(value) and value > 0),
    **dict.fromkeys(_HOLDS_MAP, ("an object of schemas", is_object)),
    **dict.fromkeys(_HOLDS_LIST, ("a list of at least one schema", _is_filled)),
    **dict.fromkeys(("$ref", "pattern", "format"), ("a text", _is_text)),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), ("a number", is_number)
    ),
    **{
        name: ("a whole number of at least 0", _is_count)
        for bound in ("min", "max")
        for name in (
            f"{bound}Length",
            f"{bound}Items",
            f"{bound}Properties",
            f"{bound}Contains",
        )
    },
}
