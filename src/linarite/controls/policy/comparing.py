"""The conditions: is a value of a resource as the rule wants it?

Strings are compared without case but for `match` and `notMatch`. A value that is missing (None)
equals nothing: each condition fails, its `not` form holds. Scalars of different types are compared
as texts, as policies write `"true"` for true. Source: "Azure Policy definition structure policy
rule", section Conditions.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable


KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "Null"),
    (bool, "Boolean"),  # before int, of which it is one
    (int, "Integer"),
    (float, "Float"),
    (str, "String"),
    (list, "Array"),
)


class ComparisonUnfit(Exception):
    """Values that can't be compared; Azure takes that for a refusal."""


def holds(operator: str, value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether the condition holds. Raises ComparisonUnfit for an order between unlike values."""
    opposite = OPPOSITES.get(operator)
    if opposite is not None:
        return not CONDITIONS[opposite](value, target)
    return CONDITIONS[operator](value, target)


def same(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    """Equality as policies mean it."""
    if isinstance(value, dict) and isinstance(target, dict):
        left, right = _lowered(value), _lowered(target)
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(value, list) and isinstance(target, list):
        one, other = cast("list[Any]", value), cast("list[Any]", target)
        return len(one) == len(other) and all(map(same, one, other))
    if value is None or target is None or _compound(value) or _compound(target):
        return False
    if _number(value) and _number(target):
        return value == target
    return text_of(value).lower() == text_of(target).lower()


def text_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """A scalar as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _like(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    if value is None or target is None or _compound(value) or _compound(target):
        return False
    head, star, tail = text_of(target).lower().partition("*")
    text = text_of(value).lower()
    if not star:
        return text == head
    return len(text) >= len(head) + len(tail) and text.startswith(head) and text.endswith(tail)


def _match(value: Any, target: Any, flags: int = 0) -> bool:  # noqa: ANN401 - JSON
    if value is None or target is None or _compound(value) or _compound(target):
        return False
    return _pattern(text_of(target), flags).fullmatch(text_of(value)) is not None


def _match_insensitively(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    return _match(value, target, re.IGNORECASE)


@lru_cache(maxsize=512)
def _pattern(target: str, flags: int) -> re.Pattern[str]:
    """`#` is a digit, `?` a letter, `.` any character, every other one itself."""
    parts = {"#": "[0-9]", "?": "[A-Za-z]", ".": "."}
    return re.compile(
        "".join(parts.get(each, re.escape(each)) for each in target), flags | re.DOTALL
    )


def _contains(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return any(same(member, target) for member in cast("list[Any]", value))
    if value is None or target is None or _compound(value) or _compound(target):
        return False
    return text_of(target).lower() in text_of(value).lower()


def _in(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    members = cast("list[Any]", target) if isinstance(target, list) else []
    return any(same(value, member) for member in members)


def _contains_key(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    if not isinstance(value, dict) or target is None or _compound(target):
        return False
    return text_of(target).lower() in _lowered(value)


def _exists(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
    return (value is not None) == (text_of(target).lower() == "true")


def _ordered(value: Any, target: Any) -> int | None:  # noqa: ANN401 - JSON
    """Below, at or above zero as the value stands to the target; None where it is missing."""
    if value is None:
        return None
    pair = _comparable(value, target)
    if pair is None:
        raise ComparisonUnfit(
            f"a value of type '{kind_of(value)}' can't be ordered against one of type "
            f"'{kind_of(target)}'"
        )
    left, right = pair
    return (left > right) - (left < right)


def _comparable(value: Any, target: Any) -> tuple[Any, Any] | None:  # noqa: ANN401 - JSON
    if _number(value) and _number(target):
        return value, target
    if isinstance(value, str) and isinstance(target, str):
        dates = _date(value), _date(target)
        if None not in dates:
            return dates
        return value.lower(), target.lower()
    for one, other in ((value, target), (target, value)):
        if _number(one) and isinstance(other, str):
            try:
                number = float(other)
            except ValueError:
                return None
            return (one, number) if one is value else (number, one)
    return None


def _date(text: str) -> datetime | None:
    if len(text) < len("2020-01-01") or not text[:4].isdecimal():
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def kind_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """The type's name as messages use it."""
    return next((name for kind, name in KINDS if isinstance(value, kind)), "Object")


def _number(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compound(value: Any) -> bool:  # noqa: ANN401 - JSON
    return isinstance(value, list | dict)


def _lowered(value: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {str(key).lower(): inner for key, inner in cast("dict[str, Any]", value).items()}


def _order(test: Callable[[int], bool]) -> Callable[[Any, Any], bool]:
    def compare(value: Any, target: Any) -> bool:  # noqa: ANN401 - JSON
        order = _ordered(value, target)
        return order is not None and test(order)

    return compare


CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "equals": same,
    "like": _like,
    "match": _match,
    "matchInsensitively": _match_insensitively,
    "contains": _contains,
    "in": _in,
    "containsKey": _contains_key,
    "less": _order(lambda order: order < 0),
    "lessOrEquals": _order(lambda order: order <= 0),
    "greater": _order(lambda order: order > 0),
    "greaterOrEquals": _order(lambda order: order >= 0),
    "exists": _exists,
}
OPPOSITES = {
    "notEquals": "equals",
    "notLike": "like",
    "notMatch": "match",
    "notMatchInsensitively": "matchInsensitively",
    "notContains": "contains",
    "notIn": "in",
    "notContainsKey": "containsKey",
}
SPELLINGS = {name.lower(): name for name in (*CONDITIONS, *OPPOSITES)}
"""lower case → Azure's spelling"""
ORDERS = frozenset(("less", "lessOrEquals", "greater", "greaterOrEquals"))
ARRAYS = frozenset(("in", "notIn"))
