"""What a role assignment may be. A pure module: facts come in, problems go out.

Codes and texts: Azure's answers, "Troubleshoot Azure RBAC" and what people have met.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.access_shapes import condition_problems, is_guid, shown_scope
from linarite.controlplane.resources.role_assignments.properties import PRINCIPAL_TYPES
from linarite.domain.arm_errors import Problem
from linarite.domain.directory import DirectoryEntry
from linarite.domain.resource import Resource
from linarite.domain.roles import role_guid
from linarite.domain.scopes import holds, scope_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.surface import Showing

FIXED = ("roleDefinitionId", "principalId", "principalType")
"""what an assignment is about; to change it, delete it and make another"""


class AssignmentFacts(msgspec.Struct, frozen=True):
    """What is known when a role assignment is admitted."""

    tenant: str
    roles: dict[str, Resource]
    """role definitions by GUID"""
    same_scope: list[Resource]
    """the assignments at the same scope"""
    entry: Callable[[str], DirectoryEntry | None]
    """whom this server knows by an object id"""
    role_path: str
    """what stands before the GUID in a role definition's id"""


def complete(new: Resource, old: Resource | None, facts: AssignmentFacts) -> Resource:
    """Ids as this server writes them; the principal's type as the directory knows it."""
    sent = new.properties
    role = role_guid(str(sent.get("roleDefinitionId") or ""))
    principal = str(sent.get("principalId") or "").lower()
    entry = facts.entry(principal)
    kind = str(sent.get("principalType") or (old.properties["principalType"] if old else ""))
    properties: dict[str, Any] = sent | {
        "roleDefinitionId": f"{facts.role_path}{role}",
        "principalId": principal,
        "principalType": PRINCIPAL_TYPES.get(kind.lower(), kind) or (entry.kind if entry else ""),
    }
    return msgspec.structs.replace(new, properties=properties)


def admit(new: Resource, old: Resource | None, facts: AssignmentFacts) -> list[Problem]:
    """Everything that is wrong with it."""
    problems = [*_role_problems(new, facts), *_principal_problems(new, facts)]
    problems += condition_problems(new.properties, "properties.condition")
    if problems:
        return problems
    if old is not None and any(new.properties[key] != old.properties[key] for key in FIXED):
        return [
            Problem(
                "RoleAssignmentUpdateNotPermitted",
                "Tenant ID, application ID, principal ID, and scope are not allowed to be updated. "
                "Neither is the role: delete the assignment and make another.",
            )
        ]
    return [*_twice(new, old, facts)]


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """With its scope, and who made it when."""
    del showing
    system = resource.system_data
    return resource.properties | {
        "scope": shown_scope(resource),
        "condition": resource.properties.get("condition"),
        "conditionVersion": resource.properties.get("conditionVersion"),
        "createdOn": system.get("createdAt"),
        "updatedOn": system.get("lastModifiedAt"),
        "createdBy": system.get("createdBy"),
        "updatedBy": system.get("lastModifiedBy"),
    }


def _role_problems(new: Resource, facts: AssignmentFacts) -> Iterator[Problem]:
    guid = role_guid(new.properties["roleDefinitionId"])
    role = facts.roles.get(guid)
    if role is None:
        yield Problem(
            "RoleDefinitionDoesNotExist",
            f"The specified role definition with ID '{guid[:100]}' does not exist.",
            "properties.roleDefinitionId",
            404,
        )
        return
    scope = scope_key(scope_of(new.id))
    assignable = role.properties["assignableScopes"]
    if not any(holds(scope_key(each), scope) for each in assignable):
        yield Problem(
            "RoleAssignmentScopeNotAssignableToRoleDefinition",
            f"The scope '{shown_scope(new)}' at which the role assignment is being created is not "
            f"in the assignable scopes of the role '{role.properties['roleName']}': "
            f"{', '.join(assignable)}.",
        )


def _principal_problems(new: Resource, facts: AssignmentFacts) -> Iterator[Problem]:
    principal, kind = new.properties["principalId"], new.properties["principalType"]
    if not is_guid(principal):
        yield Problem(
            "InvalidPrincipalId",
            f"The Principal ID '{principal[:100]}' is not valid. Principal ID must be a GUID: the "
            "object id of a user, a group or a service principal, not its name or client id.",
            "properties.principalId",
        )
        return
    entry = facts.entry(principal)
    if not kind:
        yield Problem(
            "PrincipalNotFound",
            f"Principal {principal.replace('-', '')} does not exist in the directory "
            f"{facts.tenant}. Check that you have the correct principal ID. If you are creating "
            "this principal and then immediately assigning a role, this error might be related to "
            "a replication delay. In this case, set the role assignment principalType property to "
            "a value, such as ServicePrincipal, User, or Group. See "
            "https://aka.ms/docs-principaltype",
        )
    elif kind not in PRINCIPAL_TYPES.values():
        yield Problem(
            "InvalidPrincipalType",
            f"'{kind[:60]}' is no type of principal: use {', '.join(PRINCIPAL_TYPES.values())}.",
            "properties.principalType",
        )
    elif entry is not None and entry.kind != kind:
        yield Problem(
            "UnmatchedPrincipalType",
            f"The PrincipalId '{principal.replace('-', '')}' has type '{entry.kind}', which is "
            f"different from specified PrincipalType '{kind}'.",
        )


def _twice(new: Resource, old: Resource | None, facts: AssignmentFacts) -> Iterator[Problem]:
    for each in facts.same_scope:
        if old is None and all(
            each.properties[key] == new.properties[key]
            for key in ("roleDefinitionId", "principalId")
        ):
            yield Problem(
                "RoleAssignmentExists",
                "The role assignment already exists. The ID of the existing role assignment is "
                f"{each.name.replace('-', '')}.",
                status=409,
            )
