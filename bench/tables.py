"""Tables in plain text that are Markdown too."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> str:
    """A title, aligned columns, and a note below; the first column is text, the others numbers."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [_line(head, widths), _rule(widths), *(_line(row, widths) for row in rows)]
    return "\n".join([f"### {title}", "", *lines, *(["", note] if note else []), ""])


def number(value: float, digits: int = 0, unit: str = "") -> str:
    """A figure with thousands separated; a dash for what was not measured."""
    if math.isnan(value):
        return NOTHING
    return f"{value:,.{digits}f}{unit}"


def milliseconds(seconds: float) -> str:
    """With two digits below a hundred, none above."""
    value = seconds * 1000
    return number(value, 2 if abs(value) < 100 else 0)


def times(value: float) -> str:
    """A ratio."""
    return number(value, 2 if value < 10 else 0, " x")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    shown = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return "| " + " | ".join(shown) + " |"


def _rule(widths: Sequence[int]) -> str:
    first, *others = widths
    return "| " + " | ".join(["-" * first, *("-" * (width - 1) + ":" for width in others)]) + " |"
