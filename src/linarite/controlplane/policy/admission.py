"""What definitions, initiatives and assignments check alike when they are written or deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.policy.expressions import TemplateExpressions
from linarite.domain.arm_errors import Problem
from linarite.domain.scopes import MANAGEMENT_GROUPS, scope_of

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

EXPRESSIONS = TemplateExpressions()
NAME = r"[^<>%&:\\?/]{0,127}[^<>%&:\\?/ ]"
READ_ONLY = frozenset(("policyType", "versions"))
CUSTOM = "Custom"
SUBSCRIPTION_SLASHES = 2


def outside_scope(new: Resource) -> list[Problem]:
    """Definitions and initiatives are made in a subscription or in the management group."""
    scope = scope_of(new.id).lower()
    in_subscription = scope.startswith("/subscriptions/")
    if in_subscription and scope.count("/") == SUBSCRIPTION_SLASHES:
        return []
    if scope.startswith(MANAGEMENT_GROUPS):
        return []
    return [
        Problem(
            "InvalidPolicyDefinitionScope",
            "Policy definitions and initiatives are made in a subscription or in the management "
            "group, and assigned there or at any scope below.",
        )
    ]


def versioned(properties: dict[str, Any]) -> dict[str, Any]:
    """What Azure fills in: of version 1.0.0 unless another is said."""
    version = properties.get("version") or "1.0.0"
    filled: dict[str, Any] = {"parameters": {}, "metadata": {}}
    return filled | properties | {"policyType": CUSTOM, "version": version, "versions": [version]}


async def keep_used(surface: Surface, definition: Resource) -> list[Problem]:
    """What is assigned stays, and what is part of an initiative."""
    users = surface.policies.users_of(definition.id)
    if not users:
        return []
    word = "PolicySetDefinition" if "/policyset" in definition.id.lower() else "PolicyDefinition"
    return [
        Problem(
            f"{word}InUse",
            f"'{definition.name}' is used by {', '.join(users[:10])}. Delete these first.",
            status=409,
        )
    ]
