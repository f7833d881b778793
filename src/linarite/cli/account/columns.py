"""An account in a table."""

from __future__ import annotations

from typing import Any

from linarite.cli.arm.answers import part, tags
from linarite.domain.arm_id import resource_group_of


def row(account: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    return {
        "name": account["name"],
        "group": resource_group_of(account["id"]),
        "location": account.get("location", ""),
        "kind": account.get("kind", ""),
        "state": account["properties"].get("provisioningState", ""),
        "endpoint": account["properties"].get("endpoint", ""),
    }


def group_of_deleted(deleted_id: str) -> str:
    """`…/locations/{location}/resourceGroups/{group}/deletedAccounts/{name}`: the group."""
    return deleted_id.split("/")[-3]


def deleted_row(account: dict[str, Any]) -> dict[str, object]:
    """The line of one that was deleted."""
    properties: dict[str, Any] = account["properties"]
    return {
        "name": account["name"],
        "group": group_of_deleted(account["id"]),
        "location": account.get("location", ""),
        "deleted": properties.get("deletionDate", ""),
        "purged": properties.get("scheduledPurgeDate", ""),
    }


def _rules(acls: dict[str, Any]) -> str:
    """Whom rules name, after the default."""
    if not acls.get("defaultAction"):
        return ""
    addresses: list[dict[str, Any]] = acls.get("ipRules") or []
    subnets: list[dict[str, Any]] = acls.get("virtualNetworkRules") or []
    named = [str(rule.get("value")) for rule in addresses]
    named += [str(rule.get("id")) for rule in subnets]
    return ", ".join([f"default {acls['defaultAction']}", *named])


def _outbound(properties: dict[str, Any]) -> str:
    """Which hosts are reached for it, where they are restricted."""
    if not properties.get("restrictOutboundNetworkAccess"):
        return ""
    hosts: list[str] = properties.get("allowedFqdnList") or []
    return ", ".join(hosts) or "no host"


def facts(account: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    properties: dict[str, Any] = account["properties"]
    network = part(properties, "networkAcls")
    return row(account) | {
        "sub-domain": properties.get("customSubDomainName"),
        "public network": properties.get("publicNetworkAccess"),
        "network rules": _rules(network),
        "outbound": _outbound(properties),
        "stored content sealed by": part(properties, "encryption").get("keySource"),
        "keys open it": not properties.get("disableLocalAuth", False),
        "tags": tags(account),
        "created by": part(account, "systemData").get("createdBy"),
        "id": account["id"],
    }
