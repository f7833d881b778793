"""Usage as files for other programs."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any, cast

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO

STANDARD_OUTPUT = "-"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""what a spreadsheet takes for the beginning of a formula"""


def write_csv(path: Path, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """A line of names, and one for each row. Raises SetupError."""
    if str(path) == STANDARD_OUTPUT:
        _write_rows(sys.stdout, rows, names)
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            _write_rows(file, rows, names)
    except OSError as problem:
        raise _unwritable(path, problem) from None


def _write_rows(file: TextIO, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    writer.writerows({name: _harmless(row[name]) for name in names} for row in rows)


def _harmless(value: object) -> object:
    """End users name themselves, and whoever opens the file may use a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], texts: Sequence[str]) -> None:
    """One table: `texts` and the currency as text, cost as a double, the rest as whole numbers.

    Raises SetupError, also where the library that writes it is not installed.
    """
    try:
        from arro3.core import Array, DataType, Table  # noqa: PLC0415 - an extra
        from arro3.io import write_parquet as write  # noqa: PLC0415 - the same
    except ImportError:
        raise SetupError(
            "Parquet is written by arro3, which is not installed: pip install 'linarite[parquet]'. "
            "Without it there is --csv."
        ) from None
    names = list(rows[0]) if rows else list(texts)
    kinds = {name: DataType.int64() for name in names}
    kinds |= {name: DataType.utf8() for name in (*texts, "currency") if name in kinds}
    if "cost" in kinds:
        kinds["cost"] = DataType.float64()
    columns = {name: Array([row[name] for row in rows], kinds[name]) for name in names}
    try:
        write(cast("Any", Table).from_pydict(columns), path)
    except OSError as problem:
        raise _unwritable(path, problem) from None


def _unwritable(path: Path, problem: OSError) -> SetupError:
    return SetupError(f"{path} can't be written: {problem.strerror or problem}.")
