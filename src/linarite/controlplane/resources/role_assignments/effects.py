"""What role assignments need from the stores, and what conditions may ask of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from linarite.controlplane.resources.role_assignments.properties import PRINCIPAL_TYPES
from linarite.controlplane.resources.role_assignments.rules import AssignmentFacts
from linarite.controlplane.role_catalogue import all_roles, role_path
from linarite.controlplane.wire import read_object
from linarite.domain.roles import ROLE_ASSIGNMENT_TYPE, role_guid
from linarite.domain.scopes import scope_key, scope_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resource_type import Attributes
    from linarite.controlplane.surface import Surface
    from linarite.domain.directory import DirectoryEntry


async def gather(surface: Surface, target: Target) -> AssignmentFacts:
    """Roles, the assignments at the same scope, and the directory."""
    scope = target["scope"]
    below = await surface.resources.list_under(scope, ROLE_ASSIGNMENT_TYPE)
    return AssignmentFacts(
        tenant=surface.realm.tenant,
        roles=await all_roles(surface),
        same_scope=[each for each in below if scope_key(scope_of(each.id)) == scope_key(scope)],
        entry=lambda object_id: entry_of(surface, object_id),
        role_path=role_path(surface.realm),
    )


def entry_of(surface: Surface, object_id: str) -> DirectoryEntry | None:
    """Whom the directory means by an object id."""
    return None if surface.directory is None else surface.directory.entry(object_id.lower())


async def attributes(request: ArmRequest, target: Target, surface: Surface) -> Attributes | None:
    """Of a PUT what it asks for, of the rest what is there: role, principal and its type."""
    stored = await surface.resources.get(target.path)
    found = {} if stored is None else _named("@resource", stored.properties, surface)
    if request.method != "PUT":
        return found
    if not request.body:
        return None
    sent = read_object(request.body).get("properties")
    asked = cast("dict[str, Any]", sent) if isinstance(sent, dict) else {}
    return found | _named("@request", asked, surface)


def _named(source: str, said: dict[str, Any], surface: Surface) -> dict[str, tuple[str, ...]]:
    principal = str(said.get("principalId") or "").lower()
    kind = PRINCIPAL_TYPES.get(str(said.get("principalType") or "").lower(), "")
    if not kind and (entry := entry_of(surface, principal)) is not None:
        kind = entry.kind
    values = {
        "roledefinitionid": role_guid(str(said.get("roleDefinitionId") or "")),
        "principalid": principal,
        "principaltype": kind,
    }
    word = f"{source}[{ROLE_ASSIGNMENT_TYPE.lower()}:"
    return {f"{word}{name}]": (value,) for name, value in values.items() if value}
