"""What has been laid down about access, as decisions read it: frozen, ids in lower case."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from linarite.controls.authorize.conditions.tree import Condition
from linarite.controls.authorize.wildcards import Wildcards

EVERYONE = "00000000-0000-0000-0000-000000000000"
"""the principal of deny assignments that means all of them"""


class Permission(msgspec.Struct, frozen=True):
    """What a role grants, or a deny assignment takes away."""

    actions: Wildcards = Wildcards()
    not_actions: Wildcards = Wildcards()
    """taken from `actions` of this same permission, and from nothing else"""
    data_actions: Wildcards = Wildcards()
    not_data_actions: Wildcards = Wildcards()
    condition: Condition | None = None

    def covers(self, action: str, *, is_data: bool) -> bool:
        """Whether an action, in lower case, is among them."""
        if is_data:
            return self.data_actions.match(action) and not self.not_data_actions.match(action)
        return self.actions.match(action) and not self.not_actions.match(action)


class Role(msgspec.Struct, frozen=True):
    """A role definition."""

    id: str
    """its GUID"""
    name: str
    permissions: tuple[Permission, ...]
    built_in: bool = False

    def covers(self, action: str, *, is_data: bool) -> bool:
        """Whether it grants an action, in lower case, under whatever condition."""
        return any(each.covers(action, is_data=is_data) for each in self.permissions)


class RoleAssignment(msgspec.Struct, frozen=True):
    """Somebody has a role at a scope."""

    id: str
    """its ARM id, as it is written"""
    role: str
    """the role's GUID"""
    principal: str
    """object id of a user, group or service principal"""
    scope: str
    condition: Condition | None = None


class DenyAssignment(msgspec.Struct, frozen=True):
    """Some may not do something at a scope, whatever roles they have."""

    id: str
    name: str
    permissions: tuple[Permission, ...]
    principals: frozenset[str]
    scope: str
    excluded: frozenset[str] = frozenset()
    here_only: bool = False
    """it does not apply to child scopes"""
    condition: Condition | None = None


class Lock(msgspec.Struct, frozen=True):
    """Nothing at a scope may be deleted, or changed, by anybody."""

    id: str
    scope: str
    read_only: bool
    """against changes too; otherwise against deletion alone"""


class Rules(msgspec.Struct, frozen=True):
    """All of it, filed for look-up."""

    roles: Mapping[str, Role] = MappingProxyType({})
    """by GUID"""
    assignments: Mapping[str, tuple[RoleAssignment, ...]] = MappingProxyType({})
    """by object id of the principal"""
    denials: tuple[DenyAssignment, ...] = ()
    locks: tuple[Lock, ...] = ()
