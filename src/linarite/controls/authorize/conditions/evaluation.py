"""Whether a condition holds: true, false, or None where it can't be told.

What can't be told stays so through NOT, AND and OR unless the other parts settle it: a condition
that asks for an attribute which is not there is never made true by a `not` before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controls.authorize.conditions.comparing import (
    COMPARERS,
    RANGES,
    UNREADABLE,
    reader_of,
)
from linarite.controls.authorize.conditions.tree import (
    ActionMatches,
    Attribute,
    Comparison,
    Every,
    Exists,
    Not,
    Some,
    SubOperationMatches,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from linarite.controls.authorize.conditions.tree import Expression, Literal, Value


def holds(
    expression: Expression, action: str, attributes: Mapping[str, tuple[Value, ...]] | None
) -> bool | None:
    """Evaluate for an action in lower case. `attributes` None: nothing is known of any of them."""
    match expression:
        case Every(parts):
            return _every(holds(part, action, attributes) for part in parts)
        case Some(parts):
            return _opposite(_every(_opposite(holds(part, action, attributes)) for part in parts))
        case Not(part):
            return _opposite(holds(part, action, attributes))
        case Comparison():
            return _compared(expression, attributes or {})
        case _:
            return _asked(expression, action, attributes)


def _asked(
    question: ActionMatches | SubOperationMatches | Exists,
    action: str,
    attributes: Mapping[str, tuple[Value, ...]] | None,
) -> bool | None:
    if isinstance(question, ActionMatches):
        return question.actions.match(action)
    if isinstance(question, Exists):
        return None if attributes is None else question.attribute.key in attributes
    return False


def _every(parts: Iterable[bool | None]) -> bool | None:
    outcome: bool | None = True
    for part in parts:
        if part is False:
            return False
        if part is None:
            outcome = None
    return outcome


def _opposite(outcome: bool | None) -> bool | None:  # noqa: FBT001 - it is the value itself
    return None if outcome is None else not outcome


def _compared(comparison: Comparison, attributes: Mapping[str, tuple[Value, ...]]) -> bool | None:
    left = _values(comparison.left, attributes)
    right = _values(comparison.right, attributes)
    if not left or not right:
        return None
    try:
        return _fit(comparison, left, right)
    except UNREADABLE:
        return None


def _fit(comparison: Comparison, left: tuple[Value, ...], right: tuple[Value, ...]) -> bool:
    read_left = reader_of(comparison.operator, right=False)
    read_right = reader_of(comparison.operator, right=True)
    these = [read_left(value) for value in left]
    those = [read_right(value) for value in right]
    if comparison.operator in RANGES:
        low, high = those
        return low <= these[0] <= high
    fits = COMPARERS[comparison.operator].fits
    across = all if comparison.right_reach == "all" else any
    whole = all if comparison.left_reach == "all" else any
    return whole(
        across(fits(one, other) is not comparison.negated for other in those) for one in these
    )


def _values(
    operand: Attribute | Literal, attributes: Mapping[str, tuple[Value, ...]]
) -> tuple[Any, ...]:
    if isinstance(operand, Attribute):
        return attributes.get(operand.key, ())
    return operand.values
