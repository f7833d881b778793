"""Where roles and policies are assigned: which scope holds which. Scopes are ARM ids.

`/`, a management group, a subscription, a resource group, a resource, a child of a resource: each
holds all that come after it. They are compared without case.
"""

from __future__ import annotations

ROOT = ""
"""`/` as it is kept"""
MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
SUBSCRIPTIONS = "/subscriptions"
AUTHORIZATION = "/providers/microsoft.authorization/"
"""in the id of every role, policy and lock"""


def scope_key(scope: str) -> str:
    """The form under which scopes and ids are compared."""
    return scope.lower().rstrip("/")


def holds(outer: str, inner: str) -> bool:
    """Whether what is assigned at `outer` counts at `inner`; both as `scope_key` makes them.

    There is one management group, the tenant's own, and every subscription lies in it.
    """
    if outer in (ROOT, inner) or inner.startswith(f"{outer}/"):
        return True
    return outer.startswith(MANAGEMENT_GROUPS) and _in_subscription(inner)


def scope_of(resource_id: str) -> str:
    """The scope to which a resource of Microsoft.Authorization belongs; "" for `/`."""
    at = resource_id.lower().rfind(AUTHORIZATION)
    return resource_id[:at] if at >= 0 else resource_id


def _in_subscription(scope: str) -> bool:
    return scope == SUBSCRIPTIONS or scope.startswith(f"{SUBSCRIPTIONS}/")
