"""Numbers, comparison and logic.

Source: "Numeric functions", "Comparison functions" and "Logical functions for ARM templates".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from linarite.controlplane.templates.functions.builtin import (
    UNBOUNDED,
    Builtin,
    Evaluation,
    lazy,
    pure,
)
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import INT64, boolean, equal, integer, text, unfit

if TYPE_CHECKING:
    from linarite.controlplane.templates.language.syntax import Node
    from linarite.controlplane.templates.values import Value

_INTEGER_DIGITS_MAX = 20


def add(left: Value, right: Value) -> Value:
    """The sum."""
    return _in_64_bits(integer(left) + integer(right))


def sub(left: Value, right: Value) -> Value:
    """The difference."""
    return _in_64_bits(integer(left) - integer(right))


def mul(left: Value, right: Value) -> Value:
    """The product."""
    return _in_64_bits(integer(left) * integer(right))


def div(left: Value, right: Value) -> Value:
    """The quotient, cut towards zero."""
    over, under = integer(left), _divisor(right)
    quotient = abs(over) // abs(under)
    return _in_64_bits(quotient if (over < 0) == (under < 0) else -quotient)


def mod(left: Value, right: Value) -> Value:
    """The remainder, with the sign of the dividend."""
    over, under = integer(left), _divisor(right)
    return abs(over) % abs(under) * (-1 if over < 0 else 1)


def _divisor(value: Value) -> int:
    if integer(value) == 0:
        raise ExpressionFailed("Attempted to divide by zero.")
    return integer(value)


def _in_64_bits(number: int) -> int:
    if number not in INT64:
        raise ExpressionFailed("The number does not fit into 64 bits.")
    return number


def as_integer(value: Value) -> Value:
    """The integer that a string stands for."""
    if isinstance(value, float):
        return _in_64_bits(int(value))
    if not isinstance(value, str):
        return integer(value)
    plain = value.strip()
    if len(plain) > _INTEGER_DIGITS_MAX or not plain.lstrip("+-").isascii():
        raise ExpressionFailed("The value cannot be converted to an integer.")
    try:
        return _in_64_bits(int(plain))
    except ValueError:
        raise ExpressionFailed("The value cannot be converted to an integer.") from None


def as_float(value: Value) -> Value:
    """The floating point number that a string stands for."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise unfit("a string or a number", value)
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ExpressionFailed("The value cannot be converted to a number.")
    return number


def as_boolean(value: Value) -> Value:
    """The boolean that a string or an integer stands for."""
    if isinstance(value, int):
        return value != 0
    meant = {"true": True, "false": False, "1": True, "0": False}.get(text(value).lower())
    if meant is None:
        raise ExpressionFailed("The value cannot be converted to a boolean.")
    return meant


def equals(left: Value, right: Value) -> Value:
    """Deep equality, strings with case."""
    return equal(left, right)


def less(left: Value, right: Value) -> Value:
    """Whether the first comes before the second."""
    return _order(left, right) < 0


def less_or_equals(left: Value, right: Value) -> Value:
    """Whether the first does not come after the second."""
    return _order(left, right) <= 0


def greater(left: Value, right: Value) -> Value:
    """Whether the first comes after the second."""
    return _order(left, right) > 0


def greater_or_equals(left: Value, right: Value) -> Value:
    """Whether the first does not come before the second."""
    return _order(left, right) >= 0


def _order(left: Value, right: Value) -> int:
    """Negative, zero or positive; two numbers or two strings."""
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    first, second = _number(left), _number(right)
    return (first > second) - (first < second)


def _number(value: Value) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unfit("two integers or two strings", value)
    return value


def if_(asking: Evaluation, condition: Node, then: Node, otherwise: Node) -> Value:
    """One of two values; the other one is never evaluated."""
    return asking.value_of(then if boolean(asking.value_of(condition)) else otherwise)


def and_(asking: Evaluation, *conditions: Node) -> Value:
    """Whether all hold; what follows one that does not is never evaluated."""
    return all(boolean(asking.value_of(condition)) for condition in conditions)


def or_(asking: Evaluation, *conditions: Node) -> Value:
    """Whether any holds; what follows one that does is never evaluated."""
    return any(boolean(asking.value_of(condition)) for condition in conditions)


def coalesce(asking: Evaluation, *candidates: Node) -> Value:
    """The first value that is not null."""
    values = (asking.value_of(candidate) for candidate in candidates)
    return next((value for value in values if value is not None), None)


def not_(condition: Value) -> Value:
    """The opposite."""
    return not boolean(condition)


def true() -> Value:
    """True."""
    return True


def false() -> Value:
    """False."""
    return False


NUMBERS: dict[str, Builtin] = {
    "add": pure(add, 2),
    "div": pure(div, 2),
    "float": pure(as_float),
    "int": pure(as_integer),
    "mod": pure(mod, 2),
    "mul": pure(mul, 2),
    "sub": pure(sub, 2),
}
LOGIC: dict[str, Builtin] = {
    "and": lazy(and_, 2, UNBOUNDED),
    "bool": pure(as_boolean),
    "coalesce": lazy(coalesce, 1, UNBOUNDED),
    "equals": pure(equals, 2),
    "false": pure(false, 0),
    "greater": pure(greater, 2),
    "greaterOrEquals": pure(greater_or_equals, 2),
    "if": lazy(if_, 3),
    "less": pure(less, 2),
    "lessOrEquals": pure(less_or_equals, 2),
    "not": pure(not_),
    "or": lazy(or_, 2, UNBOUNDED),
    "true": pure(true, 0),
}
