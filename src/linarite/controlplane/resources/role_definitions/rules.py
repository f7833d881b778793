"""What a role definition may be. A pure module: facts come in, problems go out.

Source: learn.microsoft.com, "Azure custom roles"; codes: what people have met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.access_shapes import is_scope_here, permission_problems
from linarite.controlplane.surface import Realm
from linarite.domain.arm_errors import Problem
from linarite.domain.resource import Resource
from linarite.domain.roles import ROLE_DEFINITION_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from linarite.controlplane.surface import Showing

NAME_CHARACTERS_MAX = 512
READ_ONLY = frozenset(("type", "createdOn", "updatedOn", "createdBy", "updatedBy"))
LISTS = ("actions", "notActions", "dataActions", "notDataActions")


class SentPermission(msgspec.Struct, rename="camel"):
    """What a role grants."""

    actions: list[str] | None = None
    not_actions: list[str] | None = None
    data_actions: list[str] | None = None
    not_data_actions: list[str] | None = None
    condition: str | None = None
    condition_version: str | None = None


class SentRoleDefinition(msgspec.Struct, rename="camel"):
    """What a client may say of a role definition."""

    role_name: str | None = None
    description: str | None = None
    assignable_scopes: list[str] | None = None
    permissions: list[SentPermission] | None = None


class RoleFacts(msgspec.Struct, frozen=True):
    """What is known when a role definition is admitted."""

    realm: Realm
    roles: dict[str, Resource]
    """every role definition by GUID"""


def complete(new: Resource, old: Resource | None, facts: RoleFacts) -> Resource:
    """Who makes a role makes a custom one; every permission has its four lists."""
    del old, facts
    permissions: list[dict[str, Any]] = [
        {name: one.get(name) or [] for name in LISTS}
        | {key: value for key, value in one.items() if key not in LISTS and value is not None}
        for one in cast("list[dict[str, Any]]", new.properties.get("permissions") or [])
    ]
    properties: dict[str, Any] = new.properties | {
        "type": "CustomRole",
        "permissions": permissions,
    }
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: RoleFacts) -> list[Problem]:
    """Everything that is wrong with it."""
    if old is not None and old.properties["type"] == "BuiltInRole":
        return [built_in_stays(old)]
    return [
        *_name_problems(new, facts),
        *_scope_problems(new, facts.realm),
        *permission_problems(new.properties["permissions"], "properties.permissions"),
    ]


def built_in_stays(role: Resource) -> Problem:
    """Built-in roles are Azure's."""
    return Problem(
        "RoleDefinitionIsBuiltIn",
        f"The role '{role.properties['roleName']}' is built in: it can't be changed or deleted. "
        "Make a role of your own, under another GUID.",
        status=409,
    )


def linked(new: Resource | None, old: Resource | None) -> Sequence[tuple[str, str]]:
    """A role is written or deleted by whoever may do so at each of its assignable scopes."""
    action = f"{ROLE_DEFINITION_TYPE}/{'delete' if new is None else 'write'}"
    scopes = [
        scope
        for role in (new, old)
        if role is not None
        for scope in cast("list[str]", role.properties.get("assignableScopes") or [])
    ]
    return [(action, scope) for scope in dict.fromkeys(scopes)]


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """With who made it when."""
    del showing
    system = resource.system_data
    return resource.properties | {
        "createdOn": system.get("createdAt"),
        "updatedOn": system.get("lastModifiedAt"),
        "createdBy": system.get("createdBy"),
        "updatedBy": system.get("lastModifiedBy"),
    }


def _name_problems(new: Resource, facts: RoleFacts) -> Iterator[Problem]:
    name = str(new.properties.get("roleName") or "").strip()
    if not 0 < len(name) <= NAME_CHARACTERS_MAX:
        yield Problem(
            "InvalidRoleDefinitionName",
            f"A role needs a roleName of at most {NAME_CHARACTERS_MAX} characters.",
            "properties.roleName",
        )
    for each in facts.roles.values():
        if (
            each.properties["roleName"].lower() == name.lower()
            and each.id.lower() != new.id.lower()
        ):
            yield Problem(
                "RoleDefinitionWithSameNameExists",
                f"A role with the name '{name}' already exists in this directory. Use a different "
                "name.",
                "properties.roleName",
                409,
            )


def _scope_problems(new: Resource, realm: Realm) -> Iterator[Problem]:
    scopes = cast("list[str]", new.properties.get("assignableScopes") or [])
    if not scopes:
        yield Problem(
            "MissingAssignableScopes",
            "A role needs assignableScopes: where it may be assigned, such as "
            f"'/subscriptions/{realm.subscription}'.",
            "properties.assignableScopes",
        )
    for scope in scopes:
        if scope.strip("/") == "" or not is_scope_here(scope, realm):
            yield Problem(
                "InvalidAssignableScope",
                f"'{scope[:300]}' can't be an assignable scope: name the management group, the "
                "subscription or something in it.",
                "properties.assignableScopes",
            )
