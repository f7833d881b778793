"""Where roles are assigned: which scope holds which. Scopes are ARM ids, compared without case.

`/`, a management group, a subscription, a resource group, a resource, a child of a resource: each
holds all that come after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = ""
"""`/` as it is kept"""
MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"
SUBSCRIPTIONS = "/subscriptions"


def scope_key(scope: str) -> str:
    """The form under which scopes are compared."""
    return scope.lower().rstrip("/")


def holds(outer: str, inner: str) -> bool:
    """Whether what is assigned at `outer` counts at `inner`; both as `scope_key` makes them.

    There is one management group, the tenant's own, and every subscription lies in it.
    """
    if outer in (ROOT, inner) or inner.startswith(f"{outer}/"):
        return True
    return outer.startswith(MANAGEMENT_GROUPS) and _in_subscription(inner)


def around(scope: str) -> Iterator[str]:
    """Every scope without a management group that holds this one, the outermost first."""
    yield ROOT
    at = scope.find("/", 1)
    while at > 0:
        yield scope[:at]
        at = scope.find("/", at + 1)
    if scope:
        yield scope


def _in_subscription(scope: str) -> bool:
    return scope == SUBSCRIPTIONS or scope.startswith(f"{SUBSCRIPTIONS}/")
