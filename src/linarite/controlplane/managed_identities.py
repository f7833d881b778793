"""Identities of resources as Azure Resource Manager shows them.

Source: learn.microsoft.com, "Managed identities for Azure resources", and the reference of
`identity` in templates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.domain.directory import IDENTITY_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource


ASSIGN = f"{IDENTITY_TYPE}/assign/action"


def newly_assigned(new: Resource, old: Resource | None) -> list[tuple[str, str]]:
    """What must be allowed to give a resource the identities that it did not have before.

    Whoever may write a resource must not thereby get at an identity that may do more.
    """
    had = {each.lower() for each in _assigned(old)}
    return [(ASSIGN, each) for each in _assigned(new) if each.lower() not in had]


def _assigned(resource: Resource | None) -> list[str]:
    given = (resource.identity or {}).get("userAssignedIdentities") if resource else None
    return [*cast("dict[str, object]", given)] if isinstance(given, dict) else []


def shown_identity(resource: Resource, showing: Showing) -> dict[str, Any] | None:
    """The identity with the ids of its principals, as the directory has them."""
    identity, directory = resource.identity, showing.directory
    if not identity or directory is None:
        return identity
    view: dict[str, Any] = {"type": identity.get("type")}
    own = directory.managed_identity(resource.id)
    if own is not None:
        view |= {"principalId": own.object_id, "tenantId": showing.tenant}
    assigned = identity.get("userAssignedIdentities")
    if isinstance(assigned, dict):
        found = {
            each: directory.managed_identity(each) for each in cast("dict[str, object]", assigned)
        }
        view["userAssignedIdentities"] = {
            each: {"principalId": entry.object_id, "clientId": entry.app_id} if entry else {}
            for each, entry in found.items()
        }
    return view
