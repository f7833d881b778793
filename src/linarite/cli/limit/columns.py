"""Limits in tables."""

from __future__ import annotations

from typing import Any

from linarite.cli.arm.answers import part
from linarite.domain.usage_limits import MEASURES, limit_scope, of_account


def row(limit: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    said = part(limit, "properties")
    return {
        "name": limit["name"],
        "of": _whose(said),
        "set on": _place(limit),
        "limits": ", ".join(
            f"{said[each.name]:,} {each.title}" for each in MEASURES if said.get(each.name)
        ),
        "warns at": ", ".join(f"{each}%" for each in said.get("warnAt") or ()),
    }


def facts(limit: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    said = part(limit, "properties")
    return row(limit) | {
        "deployments": ", ".join(said.get("deployments") or ()),
        "description": said.get("description"),
        "created": part(limit, "systemData").get("createdAt"),
        "created by": part(limit, "systemData").get("createdBy"),
        "id": limit["id"],
    }


def usage_row(usage: dict[str, Any]) -> dict[str, object]:
    """What one subject has used of one measure."""
    share = 100 * usage["used"] / usage["limit"]
    return {
        "subject": usage["subject"],
        "measure": usage["measure"],
        "used": usage["used"],
        "limit": usage["limit"],
        "left": usage["left"],
        "used %": round(share),
        "begins anew": usage.get("resetsAt", ""),
    }


def _whose(said: dict[str, Any]) -> str:
    applies = part(said, "appliesTo")
    kind, name = str(applies.get("kind", "")), str(applies.get("name") or "")
    if not name:
        return kind if kind in ("account", "subscription") else f"each {kind}"
    return f"each {name}" if kind == "tag" and "=" not in name else f"{kind} {name}"


def _place(limit: dict[str, Any]) -> str:
    scope = limit_scope(str(limit["id"]))
    return (
        str(limit["id"])[: len(scope)].rpartition("/")[2] if of_account(scope) else "subscription"
    )
