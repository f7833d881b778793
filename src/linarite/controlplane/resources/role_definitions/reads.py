"""The list of role definitions. Source: "List Azure role definitions", REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.filters import filter_terms
from linarite.controlplane.role_catalogue import all_roles
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.controlplane.wire import shown
from linarite.domain.roles import ROLE_DEFINITION_TYPE
from linarite.domain.scopes import holds, scope_key

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

AND_BELOW = "atscopeandbelow"
KNOWN = frozenset(("rolename", "type", AND_BELOW))


async def list_definitions(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The roles that can be assigned at the scope, or with `atScopeAndBelow()` below it too."""
    terms = filter_terms(request, KNOWN)
    scope = scope_key(
        await stored_parent_id(surface, target["scope"], ROLE_DEFINITION_TYPE, "read")
    )
    row = surface.rows[ROLE_DEFINITION_TYPE.lower()]
    showing = surface.showing(request)
    roles = await all_roles(surface)
    wanted = [
        (each.id.lower(), each)
        for each in roles.values()
        if _fits(each, terms) and _assignable(each, scope, below=AND_BELOW in terms)
    ]
    return paged(sorted(wanted), request, lambda each: shown(each, row, showing))


def _fits(role: Resource, terms: dict[str, str]) -> bool:
    name, kind = terms.get("rolename"), terms.get("type")
    if name is not None and role.properties["roleName"].lower() != name.lower():
        return False
    return kind is None or role.properties["type"].lower() == kind.lower()


def _assignable(role: Resource, scope: str, *, below: bool) -> bool:
    scopes = [scope_key(each) for each in role.properties["assignableScopes"]]
    return any(holds(each, scope) or (below and holds(scope, each)) for each in scopes)
