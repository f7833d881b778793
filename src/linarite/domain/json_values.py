"""Telling JSON values apart, and how deeply they are nested."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """A JSON object; decoded JSON has no other keys than texts."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """A JSON array."""
    return isinstance(value, list)


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and arrays in one another make more levels than these.

    Level by level, not by calls of itself: whatever came in can be asked about.
    """
    level: list[Any] = [value]
    for _ in range(levels):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)  # pyright: ignore[reportUnknownVariableType] - JSON is of any type; a cast would be called for each node
        ]
        if not level:
            return False
    return any(isinstance(node, (dict, list)) for node in level)
