"""Where policies are assigned: which scope holds which. Scopes are ARM ids."""

from __future__ import annotations

MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
NAMESPACE = "/providers/microsoft.authorization/"


def scope_key(scope: str) -> str:
    """The form under which scopes and ids are compared."""
    return scope.lower().rstrip("/")


def holds(outer: str, inner: str) -> bool:
    """Whether what is assigned at `outer` counts at `inner`; both as `scope_key` makes them.

    There is one management group, the tenant's own, and every subscription lies in it.
    """
    if outer in ("", inner) or inner.startswith(f"{outer}/"):
        return True
    return outer.startswith(MANAGEMENT_GROUPS) and inner.startswith("/subscriptions/")


def scope_of(resource_id: str) -> str:
    """The scope at which a resource of Microsoft.Authorization is assigned."""
    at = resource_id.lower().rfind(NAMESPACE)
    return resource_id[:at] if at >= 0 else resource_id
