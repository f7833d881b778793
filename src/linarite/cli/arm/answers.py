"""Reading what a server has said: an answer may lack anything."""

from __future__ import annotations

from typing import Any, cast


def part(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    """The object below those names; an empty one where there is none."""
    for name in names:
        inner = answer.get(name)
        answer = cast("dict[str, Any]", inner) if isinstance(inner, dict) else {}
    return answer


def parts(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of the list of that name; none where there is no such list."""
    inner = answer.get(name)
    if not isinstance(inner, list):
        return []
    return [
        cast("dict[str, Any]", each)
        for each in cast("list[object]", inner)
        if isinstance(each, dict)
    ]


def tags(resource: dict[str, Any]) -> str:
    """A resource's tags in a line."""
    return ", ".join(f"{name}={value}" for name, value in part(resource, "tags").items())
