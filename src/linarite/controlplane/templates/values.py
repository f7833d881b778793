"""The values of the template language: JSON, and functions that expressions pass around.

Property names are found without case, as ARM does; objects keep the order of their properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from linarite.controlplane.templates.language.syntax import Node
from linarite.controlplane.templates.problems import ArgumentUnfit, ExpressionFailed

STRING_CHARS_MAX = 131_072
"""ARM's own limit on a string that an expression makes"""
DEPTH_MAX = 100
INT64 = range(-(2**63), 2**63)


class Lambda(msgspec.Struct, frozen=True):
    """A function that an expression made, with the variables it was made among."""

    names: tuple[str, ...]
    body: Node
    captured: Mapping[str, Value]


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Lambda | None"


def kind_of(value: Value) -> str:
    """The type's name as ARM's messages use it."""
    names: dict[type, str] = {
        type(None): "Null",
        bool: "Boolean",
        int: "Integer",
        float: "Float",
        str: "String",
        list: "Array",
        dict: "Object",
    }
    return names.get(type(value), "Lambda")


def text(value: Value) -> str:
    """The value as a string, which it must be."""
    if not isinstance(value, str):
        raise unfit("a string", value)
    return value


def integer(value: Value) -> int:
    """The value as an integer, which it must be."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise unfit("an integer", value)
    return value


def boolean(value: Value) -> bool:
    """The value as a boolean, which it must be."""
    if not isinstance(value, bool):
        raise unfit("a boolean", value)
    return value


def array(value: Value) -> list[Value]:
    """The value as an array, which it must be."""
    if not isinstance(value, list):
        raise unfit("an array", value)
    return value


def mapping(value: Value) -> dict[str, Value]:
    """The value as an object, which it must be."""
    if not isinstance(value, dict):
        raise unfit("an object", value)
    return value


def function(value: Value) -> Lambda:
    """The value as a lambda, which it must be."""
    if not isinstance(value, Lambda):
        raise unfit("a lambda expression", value)
    return value


def unfit(expected: str, value: Value) -> ArgumentUnfit:
    """The refusal of a value whose type is not the expected one."""
    return ArgumentUnfit(expected, f"of type '{kind_of(value)}'")


def find(mapping_: dict[str, Value], name: str) -> str | None:
    """The property's name as the object spells it; None when there is no such property."""
    if name in mapping_:
        return name
    wanted = name.lower()
    return next((key for key in mapping_ if key.lower() == wanted), None)


def get(mapping_: dict[str, Value], name: str) -> Value:
    """The property's value, null when it is missing."""
    key = find(mapping_, name)
    return None if key is None else mapping_[key]


def equal(left: Value, right: Value) -> bool:
    """Deep equality; strings with case, property names without, true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        if len(left) != len(right):
            return False
        keys = {key.lower(): key for key in right}
        return all(
            key.lower() in keys and equal(value, right[keys[key.lower()]])
            for key, value in left.items()
        )
    return left == right


def show(value: Value) -> str:
    """The value as `string()` and `format()` write it: .NET's words for booleans, compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if value is None:
        return ""
    if isinstance(value, Lambda):
        raise unfit("a value", value)
    weigh(value)
    return msgspec.json.encode(value).decode()


def bounded(characters: int) -> None:
    """Refuse to make a string beyond ARM's limit, before it is made."""
    if characters > STRING_CHARS_MAX:
        raise ExpressionFailed(
            f"The string would have {characters} characters; the limit is {STRING_CHARS_MAX}."
        )


def weigh(value: Value, limit: int = 200_000) -> int:
    """How many values are in there (long strings count more).

    Raises ExpressionFailed beyond the limit: what refers to one array twice, over and over,
    is small in memory and endless on paper.
    """
    weight = 0
    pending: list[tuple[Value, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        weight += 1 + (len(item) >> 6 if isinstance(item, str) else 0)
        if weight > limit:
            raise ExpressionFailed("The value is too large.")
        if depth > DEPTH_MAX:
            raise ExpressionFailed(f"The value is nested more than {DEPTH_MAX} levels deep.")
        if isinstance(item, list):
            pending += [(inner, depth + 1) for inner in item]
        elif isinstance(item, dict):
            pending += [(inner, depth + 1) for inner in item.values()]
    return weight
