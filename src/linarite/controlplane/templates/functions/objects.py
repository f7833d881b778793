"""Object functions. Source: "Object functions for ARM templates"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import UNBOUNDED, Builtin, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import array, find, mapping, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value


def create_object(*pairs: Value) -> Value:
    """An object of names and values in turn."""
    if len(pairs) % 2:
        raise ExpressionFailed("createObject takes pairs: a name, then its value.")
    return {text(name): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}


def items(whole: Value) -> Value:
    """`{key, value}` for each property, ordered by key."""
    properties = mapping(whole)
    ordered = sorted(properties, key=_without_case)
    return [{"key": name, "value": properties[name]} for name in ordered]


def object_keys(whole: Value) -> Value:
    """The names of the properties, in order."""
    return [*sorted(mapping(whole), key=_without_case)]


def _without_case(name: str) -> tuple[str, str]:
    return name.lower(), name


def shallow_merge(wholes: Value) -> Value:
    """The properties of all objects of an array; the later one wins, as a whole."""
    merged: dict[str, Value] = {}
    for whole in array(wholes):
        for name, value in mapping(whole).items():
            merged[find(merged, name) or name] = value
    return merged


def null() -> Value:
    """Nothing."""
    return None


OBJECTS: dict[str, Builtin] = {
    "createObject": pure(create_object, 0, UNBOUNDED),
    "items": pure(items),
    "null": pure(null, 0),
    "objectKeys": pure(object_keys),
    "shallowMerge": pure(shallow_merge),
}
