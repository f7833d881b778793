"""What the modules of this folder share: JSON values, schemas, and how making one up fails."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeGuard
from urllib.parse import unquote

Schema = bool | dict[str, Any]

WORK_MAX = 20_000
"""steps spent on one value before the schema counts as too complicated"""


class UnsatisfiableSchema(Exception):
    """Nothing can be made up for this schema, or for this branch of it."""


class SchemaTooComplex(Exception):
    """Making up a value takes more steps, characters or nesting than is reasonable.

    Unlike the other it ends the whole attempt.
    """


class Work:
    """Counts steps, so that no schema keeps the process busy."""

    def __init__(self) -> None:
        self._left = WORK_MAX

    def spend(self, steps: int = 1) -> None:
        """Take steps off. Raises SchemaTooComplex when none are left."""
        self._left -= steps
        if self._left < 0:
            raise SchemaTooComplex("The schema is too large or too deeply nested.")


def resolve(root: Schema, reference: str) -> Schema:
    """Find `#/…` in the document. Raises UnsatisfiableSchema where there is nothing."""
    if not reference.startswith("#"):
        raise UnsatisfiableSchema(f"$ref '{reference[:100]}' points to another document.")
    found: Any = root
    for step in reference[1:].lstrip("/").split("/") if len(reference) > 1 else []:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if is_object(found) and key in found:
            found = found[key]
        elif is_list(found) and key.isdecimal() and int(key) < len(found):
            found = found[int(key)]
        else:
            raise UnsatisfiableSchema(f"$ref '{reference[:100]}' points to nothing.")
    if not isinstance(found, bool) and not is_object(found):
        raise UnsatisfiableSchema(f"$ref '{reference[:100]}' points to no schema.")
    return found


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether JSON calls it an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether JSON calls it an array."""
    return isinstance(value, list)


def as_list(value: object) -> list[Any]:
    """A list, or one value as a list of itself."""
    return value if is_list(value) else [value]


def is_number(value: object) -> TypeGuard[float]:
    """Whether JSON calls it a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def exact(number: float) -> Fraction:
    """The number as it is written: 0.1 is a tenth."""
    return Fraction(str(number))


def same(left: object, right: object) -> bool:
    """Equality as JSON has it: 1 is 1.0, and neither is true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if is_list(left) and is_list(right):
        return len(left) == len(right) and all(map(same, left, right))
    if is_object(left) and is_object(right):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)
