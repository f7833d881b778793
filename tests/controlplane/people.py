"""Callers for tests of roles, without tokens: principals as tokens would prove them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from linarite.controlplane.caller import Caller
from linarite.domain.principal import USER, Principal

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer
    from tests.controlplane.rig import Rig

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
ROLES = "providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "providers/Microsoft.Authorization/roleAssignments"


def person(name: str, *groups: str) -> Caller:
    """A user; the object id follows from the name."""
    principal = Principal(
        kind=USER,
        name=name,
        object_id=object_id(name),
        groups=frozenset(object_id(group) for group in groups),
    )
    return Caller(name, "User", principal)


def object_id(name: str) -> str:
    """Always the same for a name."""
    return str(uuid5(NAMESPACE_URL, name))


def assignment(role: str, name: str, **more: str) -> dict[str, object]:
    """The body of a role assignment."""
    properties = {
        "roleDefinitionId": f"/{ROLES}/{role}",
        "principalId": object_id(name),
        "principalType": "User",
    }
    return {"properties": properties | more}


async def assign(rig: Rig, role: str, name: str, scope: str, **more: str) -> str:
    """Give a role, as the management key; returns the assignment's path."""
    path = f"{scope}/{ASSIGNMENTS}/{object_id(role + name + scope)}"
    answer: Answer = await rig.ask("PUT", path, assignment(role, name, **more))
    assert answer.status == 201, answer.body
    return path
