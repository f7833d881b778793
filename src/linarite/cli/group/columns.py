"""How a resource group is shown to people."""

from __future__ import annotations

from typing import Any


def row(group: dict[str, Any]) -> dict[str, object]:
    """The line of a group."""
    tags: dict[str, str] = group.get("tags") or {}
    return {
        "name": group["name"],
        "location": group["location"],
        "state": group["properties"]["provisioningState"],
        "tags": ", ".join(f"{name}={value}" for name, value in tags.items()),
    }
