"""Filters over the attributes of files: comparisons, joined by `and` and `or`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from linarite.domain.errors import InvalidRequest
from linarite.domain.vector_store import Attributes

Test = Callable[[Attributes], bool]
DEPTH_MAX = 16
COMPARISONS_MAX = 256
"""that are joined by one word"""
EVERYTHING_MAX = 1024
"""comparisons of a whole filter"""
LISTS = ("in", "nin")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda has, wanted: has > wanted,
    "gte": lambda has, wanted: has >= wanted,
    "lt": lambda has, wanted: has < wanted,
    "lte": lambda has, wanted: has <= wanted,
}
KINDS = ("eq", "ne", *ORDERS, *LISTS)


def filter_of(said: object) -> Test:
    """What tells whether a file's attributes pass. Raises InvalidRequest.

    An attribute that is absent is unequal to everything, and neither more nor less than anything.
    """
    return _Reader().read(said, 0)


class _Reader:
    """Reads one filter, and counts what is compared in it: each file of a store passes it all."""

    def __init__(self) -> None:
        self._left = EVERYTHING_MAX

    def read(self, said: object, depth: int) -> Test:
        """The filter, or a part of it."""
        if not isinstance(said, dict):
            raise _refused("a filter must be an object")
        one = cast("dict[str, Any]", said)
        kind: object = one.get("type")
        if isinstance(kind, str) and kind in {"and", "or"}:
            return self._compound(kind, one.get("filters"), depth)
        if not isinstance(kind, str) or kind not in KINDS:
            raise _refused(f"'type' must be one of {[*KINDS, 'and', 'or']}")
        key, wanted = one.get("key"), one.get("value")
        if not isinstance(key, str):
            raise _refused("'key' must be a string")
        self._left -= 1
        if self._left < 0:
            raise _refused(f"more than {EVERYTHING_MAX} comparisons in all")
        return _comparison(kind, key, wanted)

    def _compound(self, kind: str, parts: object, depth: int) -> Test:
        if depth >= DEPTH_MAX:
            raise _refused(f"filters may be nested {DEPTH_MAX} deep")
        if not isinstance(parts, list) or not parts:
            raise _refused(f"'{kind}' needs an array of 'filters'")
        given = cast("list[object]", parts)
        if len(given) > COMPARISONS_MAX:
            raise _refused(f"'{kind}' takes at most {COMPARISONS_MAX} filters")
        tests = [self.read(each, depth + 1) for each in given]
        join = all if kind == "and" else any
        return lambda has: join(test(has) for test in tests)


def _comparison(kind: str, key: str, wanted: object) -> Test:
    if kind in LISTS:
        if not isinstance(wanted, list):
            raise _refused(f"'{kind}' needs an array as 'value'")
        values = {_told_apart(_scalar(each)) for each in cast("list[object]", wanted)}
        if kind == "in":
            return lambda has: _told_apart(has.get(key)) in values
        return lambda has: _told_apart(has.get(key)) not in values
    value = _scalar(wanted)
    if kind == "eq":
        return lambda has: same(has.get(key), value)
    if kind == "ne":
        return lambda has: not same(has.get(key), value)
    order = ORDERS[kind]
    return lambda has: comparable(has.get(key), value) and order(has[key], value)


def _told_apart(value: object) -> tuple[bool, object]:
    """A value by which it can be looked for: true is not 1."""
    return isinstance(value, bool), value


def same(has: object, wanted: object) -> bool:
    """Equal, and true is not 1."""
    return has == wanted and isinstance(has, bool) == isinstance(wanted, bool)


def comparable(has: object, wanted: object) -> bool:
    """Whether one may come before the other: both are numbers, or both texts."""
    if isinstance(has, bool) or isinstance(wanted, bool):
        return False
    numbers = isinstance(has, int | float) and isinstance(wanted, int | float)
    return numbers or (isinstance(has, str) and isinstance(wanted, str))


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float | bool):
        raise _refused("a 'value' must be a string, a number or a boolean")
    return value


def _refused(why: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid 'filters': {why}.", param="filters", code="invalid_value")
