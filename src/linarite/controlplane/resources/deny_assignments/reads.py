"""The list of deny assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.access_lists import AT_SCOPE, around_and_below
from linarite.controlplane.filters import filter_terms
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.wire import shown
from linarite.domain.roles import DENY_ASSIGNMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

KNOWN = frozenset((AT_SCOPE, "denyassignmentname", "principalid", "gdprexportprincipalid"))


async def list_denials(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """At the scope, around it and, without `atScope()`, below it."""
    terms = filter_terms(request, KNOWN)
    found = await around_and_below(
        request, target, surface, DENY_ASSIGNMENT_TYPE, at_scope=AT_SCOPE in terms
    )
    row = surface.rows[DENY_ASSIGNMENT_TYPE.lower()]
    showing = surface.showing(request)
    wanted = [(each.id.lower(), each) for each in found if _fits(each, terms)]
    return paged(sorted(wanted), request, lambda each: shown(each, row, showing))


def _fits(denial: Resource, terms: dict[str, str]) -> bool:
    name = terms.get("denyassignmentname")
    if name is not None and denial.properties["denyAssignmentName"].lower() != name.lower():
        return False
    principal = terms.get("principalid") or terms.get("gdprexportprincipalid")
    concerned = {each["id"].lower() for each in denial.properties["principals"]}
    return principal is None or principal.lower() in concerned
