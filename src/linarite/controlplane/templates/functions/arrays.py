"""Array functions, and those that arrays share with strings and objects.

Source: "Array functions for ARM templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import UNBOUNDED, Builtin, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import (
    array,
    bounded,
    equal,
    find,
    integer,
    kind_of,
    mapping,
    show,
    text,
    unfit,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.templates.values import Value

RANGE_COUNT_MAX = 10_000


def as_array(value: Value) -> Value:
    """An array with the value in it; an array stays as it is."""
    return value if isinstance(value, list) else [value]


def create_array(*members: Value) -> Value:
    """An array of the arguments."""
    return [*members]


def concat(*parts: Value) -> Value:
    """One array of arrays, or one string of everything else."""
    if any(isinstance(part, list) for part in parts):
        return [member for part in parts for member in array(part)]
    shown = [_joinable(part) for part in parts]
    bounded(sum(map(len, shown)))
    return "".join(shown)


def _joinable(part: Value) -> str:
    if part is None or isinstance(part, dict):
        raise unfit("a string, an integer, a boolean or an array", part)
    return show(part)


def contains(container: Value, item: Value) -> Value:
    """Whether an array has the member, an object the property, a string the substring."""
    if isinstance(container, list):
        return any(equal(member, item) for member in container)
    if isinstance(container, dict):
        return find(container, text(item)) is not None
    return show(item) in text(container)


def empty(value: Value) -> Value:
    """Whether nothing is in it; null is empty."""
    if value is None:
        return True
    return length(value) == 0


def length(value: Value) -> Value:
    """Members, characters or properties."""
    if isinstance(value, list | str | dict):
        return len(value)
    raise unfit("an array, a string or an object", value)


def first(value: Value) -> Value:
    """The first member or character; null or "" when there is none."""
    if isinstance(value, str):
        return value[:1]
    members = array(value)
    return members[0] if members else None


def last(value: Value) -> Value:
    """The last member or character; null or "" when there is none."""
    if isinstance(value, str):
        return value[-1:]
    members = array(value)
    return members[-1] if members else None


def index_of(container: Value, item: Value) -> Value:
    """Where it first is; -1 when it is nowhere. Strings are compared without case."""
    if isinstance(container, list):
        places = (at for at, member in enumerate(container) if equal(member, item))
        return next(places, -1)
    return text(container).lower().find(text(item).lower())


def last_index_of(container: Value, item: Value) -> Value:
    """Where it last is; -1 when it is nowhere. Strings are compared without case."""
    if isinstance(container, list):
        places = (at for at in reversed(range(len(container))) if equal(container[at], item))
        return next(places, -1)
    return text(container).lower().rfind(text(item).lower())


def skip(value: Value, count: Value) -> Value:
    """What follows the first `count`."""
    at = max(0, integer(count))
    return value[at:] if isinstance(value, str) else array(value)[at:]


def take(value: Value, count: Value) -> Value:
    """The first `count`."""
    at = max(0, integer(count))
    return value[:at] if isinstance(value, str) else array(value)[:at]


def range_(start: Value, count: Value) -> Value:
    """`count` integers from `start` upwards."""
    begin, number = integer(start), integer(count)
    if not 0 <= number <= RANGE_COUNT_MAX:
        raise ExpressionFailed(f"The count of a range must be between 0 and {RANGE_COUNT_MAX}.")
    return [*range(begin, begin + number)]


def smallest(*numbers: Value) -> Value:
    """The least of integers, given one by one or as an array."""
    return _extreme(min, numbers)


def largest(*numbers: Value) -> Value:
    """The greatest of integers, given one by one or as an array."""
    return _extreme(max, numbers)


def _extreme(choose: Callable[[list[int]], int], numbers: tuple[Value, ...]) -> Value:
    given = array(numbers[0]) if len(numbers) == 1 else [*numbers]
    if not given:
        raise ExpressionFailed("There must be at least one integer.")
    return choose([integer(number) for number in given])


def intersection(*parts: Value) -> Value:
    """What all arrays, or all objects, have in common, in the order of the first."""
    head, *others = parts
    if isinstance(head, dict):
        return {
            key: value
            for key, value in head.items()
            if all(_has_property(mapping(other), key, value) for other in others)
        }
    common = array(head)
    for other in others:
        common = [member for member in common if contains(array(other), member)]
    return _without_repeats(common)


def _has_property(candidate: dict[str, Value], name: str, value: Value) -> bool:
    key = find(candidate, name)
    return key is not None and equal(candidate[key], value)


def union(*parts: Value) -> Value:
    """What any array has, once; or objects merged in depth, the later one winning."""
    if isinstance(parts[0], dict):
        merged: dict[str, Value] = {}
        for part in parts:
            merged = deep_merge(merged, mapping(part))
        return merged
    return _without_repeats([member for part in parts for member in array(part)])


def deep_merge(lower: dict[str, Value], upper: dict[str, Value]) -> dict[str, Value]:
    """The properties of both; where both have an object, those are merged in turn."""
    merged = dict(lower)
    for name, value in upper.items():
        key = find(merged, name) or name
        there = merged.get(key)
        if isinstance(there, dict) and isinstance(value, dict):
            merged[key] = deep_merge(there, value)
        else:
            merged[key] = value
    return merged


def _without_repeats(members: list[Value]) -> list[Value]:
    kept: list[Value] = []
    for member in members:
        if not any(equal(member, other) for other in kept):
            kept.append(member)
    return kept


def flatten(arrays: Value) -> Value:
    """The members of an array's arrays."""
    return [member for inner in array(arrays) for member in array(inner)]


def index_from_end(container: Value, place: Value) -> Value:
    """The member at a place counted from the end, the last being 1."""
    members, at = array(container), integer(place)
    if not 1 <= at <= len(members):
        raise ExpressionFailed(f"The index '^{at}' is out of bounds of the array.")
    return members[-at]


def try_index_from_end(container: Value, place: Value) -> Value:
    """As `indexFromEnd`, null when there is no such member."""
    if container is None or not 1 <= integer(place) <= len(array(container)):
        return None
    return index_from_end(container, place)


def try_get(container: Value, *path: Value) -> Value:
    """Follow names and indexes; null where one leads nowhere."""
    value = container
    for step in path:
        if value is None:
            return None
        value = _step(value, step)
    return value


def _step(value: Value, step: Value) -> Value:
    if isinstance(value, dict):
        key = find(value, text(step))
        return None if key is None else value[key]
    if not isinstance(value, list):
        raise ExpressionFailed(f"A value of type '{kind_of(value)}' has no properties.")
    at = integer(step)
    return value[at] if 0 <= at < len(value) else None


ARRAYS: dict[str, Builtin] = {
    "array": pure(as_array),
    "concat": pure(concat, 1, UNBOUNDED),
    "contains": pure(contains, 2),
    "createArray": pure(create_array, 0, UNBOUNDED),
    "empty": pure(empty),
    "first": pure(first),
    "flatten": pure(flatten),
    "indexFromEnd": pure(index_from_end, 2),
    "indexOf": pure(index_of, 2),
    "intersection": pure(intersection, 2, UNBOUNDED),
    "last": pure(last),
    "lastIndexOf": pure(last_index_of, 2),
    "length": pure(length),
    "max": pure(largest, 1, UNBOUNDED),
    "min": pure(smallest, 1, UNBOUNDED),
    "range": pure(range_, 2),
    "skip": pure(skip, 2),
    "take": pure(take, 2),
    "tryGet": pure(try_get, 2, UNBOUNDED),
    "tryIndexFromEnd": pure(try_index_from_end, 2),
    "union": pure(union, 2, UNBOUNDED),
}
