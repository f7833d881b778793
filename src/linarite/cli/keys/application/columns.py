"""An application key in a table."""

from __future__ import annotations

from typing import Any

from linarite.cli.arm.answers import part

NEVER = "never"


def row(key: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    said = part(key, "properties")
    return {
        "name": key["name"],
        "state": said.get("status", ""),
        "owner": said.get("owner", ""),
        "expires": said.get("expiresAt") or NEVER,
        "last used": said.get("lastUsedAt") or NEVER,
        "deployments": ", ".join(said.get("deployments") or ()) or "all",
    }


def facts(key: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it; the key itself where the answer has it."""
    said = part(key, "properties")
    quota = part(said, "quota")
    return row(key) | {
        "role": str(said.get("roleDefinitionId", "")).rpartition("/")[2],
        "tokens per minute": quota.get("tokensPerMinute"),
        "requests per minute": quota.get("requestsPerMinute"),
        "created": said.get("createdAt"),
        "created by": part(key, "systemData").get("createdBy"),
        "id": key["id"],
        "key": said.get("key"),
    }
