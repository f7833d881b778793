"""From stored resources to rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controls.authorize.built_in_roles import built_in_roles
from linarite.controls.authorize.conditions.reading import read_condition
from linarite.controls.authorize.rules import (
    DenyAssignment,
    Lock,
    Permission,
    Role,
    RoleAssignment,
)
from linarite.controls.authorize.wildcards import Wildcards
from linarite.domain.roles import role_guid
from linarite.domain.scopes import scope_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.controls.authorize.conditions.tree import Condition
    from linarite.domain.resource import Resource


def built_in() -> dict[str, Role]:
    """The roles that nobody has made, by GUID."""
    return {each.id: role_of(each.definition()) for each in built_in_roles()}


def role_of(definition: Resource) -> Role:
    """A role definition. Raises ConditionUnfit."""
    properties = definition.properties
    return Role(
        id=definition.name.lower(),
        name=properties["roleName"],
        permissions=_permissions(properties),
        built_in=properties.get("type") == "BuiltInRole",
    )


def role_assignment_of(assignment: Resource) -> RoleAssignment:
    """A role assignment. Raises ConditionUnfit."""
    properties = assignment.properties
    return RoleAssignment(
        id=assignment.id,
        role=role_guid(properties["roleDefinitionId"]),
        principal=properties["principalId"].lower(),
        scope=scope_key(scope_of(assignment.id)),
        condition=_condition(properties),
    )


def deny_assignment_of(denial: Resource) -> DenyAssignment:
    """A deny assignment. Raises ConditionUnfit."""
    properties = denial.properties
    return DenyAssignment(
        id=denial.id,
        name=properties["denyAssignmentName"],
        permissions=_permissions(properties),
        principals=_ids(properties["principals"]),
        scope=scope_key(scope_of(denial.id)),
        excluded=_ids(properties.get("excludePrincipals") or []),
        here_only=bool(properties.get("doNotApplyToChildScopes")),
        condition=_condition(properties),
    )


def lock_of(lock: Resource) -> Lock:
    """A lock."""
    return Lock(
        id=lock.id,
        scope=scope_key(scope_of(lock.id)),
        read_only=lock.properties["level"].lower() == "readonly",
    )


def _permissions(properties: Mapping[str, Any]) -> tuple[Permission, ...]:
    return tuple(
        Permission(
            actions=Wildcards(each.get("actions") or ()),
            not_actions=Wildcards(each.get("notActions") or ()),
            data_actions=Wildcards(each.get("dataActions") or ()),
            not_data_actions=Wildcards(each.get("notDataActions") or ()),
            condition=_condition(each),
        )
        for each in properties["permissions"]
    )


def _condition(said: Mapping[str, Any]) -> Condition | None:
    text = said.get("condition")
    return read_condition(text) if text else None


def _ids(principals: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(str(each["id"]).lower() for each in principals)
