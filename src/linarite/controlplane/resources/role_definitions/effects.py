"""What role definitions need from the stores, and when one may go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.resources.role_definitions.rules import RoleFacts, built_in_stays
from linarite.controlplane.role_catalogue import all_roles
from linarite.domain.arm_errors import Problem
from linarite.domain.roles import ROLE_ASSIGNMENT_TYPE, role_guid

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource


async def gather(surface: Surface, target: Target) -> RoleFacts:
    """All roles there are."""
    del target
    return RoleFacts(realm=surface.realm, roles=await all_roles(surface))


async def keep(surface: Surface, role: Resource) -> list[Problem]:
    """A built-in role stays, and one that somebody has."""
    if role.properties["type"] == "BuiltInRole":
        return [built_in_stays(role)]
    assigned = [
        each
        for each in await surface.resources.list_under("", ROLE_ASSIGNMENT_TYPE)
        if role_guid(each.properties["roleDefinitionId"]) == role.name.lower()
    ]
    if not assigned:
        return []
    return [
        Problem(
            "RoleDefinitionHasAssignments",
            "There are existing role assignments referencing role (code: "
            f"RoleDefinitionHasAssignments). Delete the {len(assigned)} first, such as "
            f"'{assigned[0].id}'.",
        )
    ]
