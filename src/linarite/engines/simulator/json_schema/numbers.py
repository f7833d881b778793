"""Makes numbers between bounds, in steps."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

from linarite.engines.simulator.json_schema.types import UnsatisfiableSchema, exact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from linarite.engines.simulator.dice import Dice

_USUAL_SPAN = 100
_SWEEP = 64
_DRAWS = 4
_QUARTER = 0.25
"""the step of a number that has none: exact in binary and pleasant to read"""


def numbers(schema: dict[str, Any], dice: Dice, *, whole: bool) -> Iterator[float]:
    """Numbers for a plain schema: a drawn one first, then the smallest, one step after another."""
    step = exact(schema.get("multipleOf", 1 if whole else _QUARTER))
    if whole:
        # The multiples of a fraction that are whole: those of its numerator.
        step = exact(step.numerator)
    low, high = _bounds(schema, step)
    if low > high and "multipleOf" not in schema and not whole:
        step = _narrower(schema)
        low, high = _bounds(schema, step)
    if low > high:
        raise UnsatisfiableSchema("No number lies between the bounds.")
    drawn = [dice.between(low, min(high, low + 10 * _USUAL_SPAN)) for _ in range(_DRAWS)]
    counts = [*drawn, *range(low, min(high, low + _SWEEP) + 1)]
    # Validators that divide in binary do not see that 8.37 is a multiple of 0.01.
    yield from (_as_json(count * step) for count in counts if _divides_in_binary(count, step))
    yield from (_as_json(count * step) for count in counts)


def _bounds(schema: dict[str, Any], step: Fraction) -> tuple[int, int]:
    """The lowest and highest number of steps, both allowed; open ends are a usual span away."""
    lows = [ceil(exact(schema["minimum"]) / step)] if "minimum" in schema else []
    highs = [floor(exact(schema["maximum"]) / step)] if "maximum" in schema else []
    if "exclusiveMinimum" in schema:
        lows.append(floor(exact(schema["exclusiveMinimum"]) / step) + 1)
    if "exclusiveMaximum" in schema:
        highs.append(ceil(exact(schema["exclusiveMaximum"]) / step) - 1)
    span = max(1, floor(_USUAL_SPAN / step))
    if lows:
        low = max(lows)
        return low, min([low + span, *highs])
    high = min([span, *highs])
    return min(0, high - span if high < 0 else 0), high


def _narrower(schema: dict[str, Any]) -> Fraction:
    """A step that surely has a multiple between the bounds, where a quarter has none."""
    names = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    bounds = [exact(schema[name]) for name in names if name in schema]
    gap = max(bounds) - min(bounds)
    if not gap:
        return abs(bounds[0]) or exact(1)
    digits = 0
    while exact(1) / 10**digits * 2 > gap:
        digits += 1
    return exact(1) / 10**digits


def _divides_in_binary(count: int, step: Fraction) -> bool:
    try:
        return (float(count * step) / float(step)).is_integer()
    except (OverflowError, ZeroDivisionError):
        # Beyond what binary can tell.
        return False


def _as_json(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)
