"""The list of role assignments. Source: "List Azure role assignments using the REST API"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.access_lists import AT_SCOPE, around_and_below
from linarite.controlplane.filters import filter_terms
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.wire import shown
from linarite.domain.roles import ROLE_ASSIGNMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

KNOWN = frozenset((AT_SCOPE, "principalid", "assignedto", "roledefinitionid"))


async def list_assignments(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """At the scope, around it and, without `atScope()`, below it."""
    terms = filter_terms(request, KNOWN)
    found = await around_and_below(
        request, target, surface, ROLE_ASSIGNMENT_TYPE, at_scope=AT_SCOPE in terms
    )
    row = surface.rows[ROLE_ASSIGNMENT_TYPE.lower()]
    showing = surface.showing(request)
    wanted = [(each.id.lower(), each) for each in found if _fits(each, terms, surface, request)]
    return paged(sorted(wanted), request, lambda each: shown(each, row, showing))


def _fits(
    assignment: Resource, terms: dict[str, str], surface: Surface, request: ArmRequest
) -> bool:
    principal = assignment.properties["principalId"]
    wanted = terms.get("principalid")
    if wanted is not None and principal != wanted.lower():
        return False
    role = terms.get("roledefinitionid")
    if role is not None and assignment.properties["roleDefinitionId"].lower() != role.lower():
        return False
    holder = terms.get("assignedto")
    if holder is None:
        return True
    return principal in _identities(holder.lower(), surface, request)


def _identities(object_id: str, surface: Surface, request: ArmRequest) -> frozenset[str]:
    """An object id and the groups that it is in, as far as this server knows them."""
    caller = request.caller.principal
    known = caller.groups if caller.object_id == object_id else frozenset[str]()
    if surface.directory is not None:
        known |= surface.directory.groups_of(object_id)
    return known | {object_id}
