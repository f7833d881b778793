"""A deployment in a table."""

from __future__ import annotations

from typing import Any

from linarite.cli.arm.answers import part, parts, tags


def row(deployment: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    model, sku = part(deployment, "properties", "model"), part(deployment, "sku")
    return {
        "name": deployment["name"],
        "model": model.get("name", ""),
        "version": model.get("version", ""),
        "sku": sku.get("name", ""),
        "capacity": sku.get("capacity", 0),
        "state": deployment["properties"].get("provisioningState", ""),
    }


def facts(deployment: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    properties: dict[str, Any] = deployment["properties"]
    limits = ", ".join(
        f"{limit['count']:g} {limit['key']}s in {limit['renewalPeriod']:g} s"
        for limit in parts(properties, "rateLimits")
    )
    able = sorted(part(properties, "capabilities"))
    return row(deployment) | {
        "limits": limits,
        "capabilities": ", ".join(able),
        "content policy": properties.get("raiPolicyName"),
        "upgrades": properties.get("versionUpgradeOption"),
        "tags": tags(deployment),
        "created by": part(deployment, "systemData").get("createdBy"),
        "id": deployment["id"],
    }
