"""`{0}`, `{1,10}`, `{2:D5}`: .NET's composite formatting, as far as templates meet it.

Source: "Composite formatting" and "Standard numeric format strings" of .NET's documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import bounded, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.templates.values import Value

_ITEM = re.compile(r"\{\{|\}\}|\{(\d{1,4})(?:,\s*(-?\d{1,4}))?(?::([^{}]*))?\}|[{}]")
_NUMBER_FORMAT = re.compile(r"([A-Za-z])(\d{0,2})")
_NEGATIVE_HEXADECIMAL = 2**32


def compose(template: str, arguments: Sequence[Value]) -> str:
    """Fill the arguments in. Raises ExpressionFailed when the text asks for one too many."""
    made = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal made
        piece = _item(match, arguments)
        made += len(piece)
        bounded(made)
        return piece

    whole = _ITEM.sub(fill, template)
    bounded(len(whole))
    return whole


def _item(match: re.Match[str], arguments: Sequence[Value]) -> str:
    if match[0] in {"{{", "}}"}:
        return match[0][0]
    if match[1] is None:
        raise ExpressionFailed(f"The format string has a stray '{match[0]}'; write it twice.")
    index, width = int(match[1]), int(match[2] or 0)
    if index >= len(arguments):
        raise ExpressionFailed(
            f"The format string asks for argument {{{index}}}, there are {len(arguments)}."
        )
    shown = _formatted(arguments[index], match[3])
    return shown.ljust(-width) if width < 0 else shown.rjust(width)


def _formatted(value: Value, how: str | None) -> str:
    if not how or isinstance(value, bool) or not isinstance(value, int | float):
        return show(value)
    match = _NUMBER_FORMAT.fullmatch(how)
    if match is None:
        return _zeros(value, how)
    letter, digits = match[1], int(match[2]) if match[2] else None
    writers = {"d": _decimal, "x": _hexadecimal, "n": _grouped, "f": _fixed, "g": _general}
    writer = writers.get(letter.lower())
    if writer is None:
        raise ExpressionFailed(f"The number format '{how}' is not supported.")
    shown = writer(value, digits)
    return shown.upper() if letter == "X" else shown


def _zeros(value: float, how: str) -> str:
    """A custom format of zeros only: `000`."""
    if set(how) != {"0"}:
        raise ExpressionFailed(f"The number format '{how}' is not supported.")
    return _decimal(round(value), len(how))


def _decimal(value: float, digits: int | None) -> str:
    whole = f"{abs(round(value)):0{digits or 1}d}"
    return f"-{whole}" if value < 0 else whole


def _hexadecimal(value: float, digits: int | None) -> str:
    whole = round(value)
    if whole < 0:
        whole += _NEGATIVE_HEXADECIMAL if whole >= -(2**31) else 2**64
    return f"{whole:0{digits or 1}x}"


def _grouped(value: float, digits: int | None) -> str:
    return f"{value:,.{2 if digits is None else digits}f}"


def _fixed(value: float, digits: int | None) -> str:
    return f"{value:.{2 if digits is None else digits}f}"


def _general(value: float, _digits: int | None) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
