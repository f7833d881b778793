"""JSON objects that no two readers can understand differently."""

from __future__ import annotations

import json
from typing import Any


def strict_object(raw: bytes) -> dict[str, Any]:
    """The object that the bytes are.

    Raises ValueError for what is no object or no UTF-8, for a member that occurs twice, for numbers
    that JSON does not have (NaN) and for half a surrogate pair, which nobody can write down again.
    """
    try:
        read: Any = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number
        )
        json.dumps(read, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(read, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - about a text, not a caller's type
    return read  # pyright: ignore[reportUnknownVariableType] # JSON's members are texts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member occurs twice")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
