"""Lists of policies and of what they are assigned to, at any scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.authorizing import readable
from linarite.controlplane.filters import filter_terms
from linarite.controlplane.policy.refusals import category_of
from linarite.controlplane.verbs.get import get
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.controlplane.wire import shown
from linarite.domain.scopes import holds, scope_key, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

AT_SCOPE = "atscope"
AT_EXACT_SCOPE = "atexactscope"
EXCLUDE_EXPIRED = "excludeexpired"
KNOWN = frozenset(
    (
        AT_SCOPE,
        AT_EXACT_SCOPE,
        EXCLUDE_EXPIRED,
        "policytype",
        "category",
        "policydefinitionid",
        "policyassignmentid",
    )
)
PROPERTIES = {
    "policytype": "policyType",
    "policydefinitionid": "policyDefinitionId",
    "policyassignmentid": "policyAssignmentId",
}


async def definitions_at(
    request: ArmRequest, target: Target, surface: Surface, kind: str, built_in: Iterable[Resource]
) -> Answer:
    """Those that can be assigned at a scope: the built-in ones, and those made there or around."""
    terms = filter_terms(request, KNOWN)
    scope = scope_key(await stored_parent_id(surface, target["scope"], kind, "read"))
    stored = [
        each
        for each in await surface.resources.list_under("", kind)
        if holds(scope_key(scope_of(each.id)), scope)
    ]
    found = [*built_in, *readable(surface, request.caller, stored)]
    if AT_EXACT_SCOPE in terms:
        found = [each for each in found if scope_key(scope_of(each.id)) == scope]
    return _paged(found, terms, kind, request, surface)


async def built_in_one(request: ArmRequest, target: Target, surface: Surface, kind: str) -> Answer:
    """What is built in: it lies in no scope, and everybody may read it."""
    return await get(request, target, surface.rows[kind.lower()], surface)


async def assigned_at(request: ArmRequest, target: Target, surface: Surface, kind: str) -> Answer:
    """What counts at a scope and, without `atScope()`, below it; `atExactScope()`: only there."""
    terms = filter_terms(request, KNOWN)
    scope = scope_key(await stored_parent_id(surface, target["scope"], kind, "read"))
    found: list[Resource] = []
    for each in await surface.resources.list_under("", kind):
        own = scope_key(scope_of(each.id))
        if AT_EXACT_SCOPE in terms:
            wanted = own == scope
        else:
            wanted = holds(own, scope) or (AT_SCOPE not in terms and holds(scope, own))
        if wanted:
            found.append(each)
    if EXCLUDE_EXPIRED in terms:
        now = surface.now().isoformat()
        found = [each for each in found if str(each.properties.get("expiresOn") or now) >= now]
    return _paged(readable(surface, request.caller, found), terms, kind, request, surface)


def _paged(
    found: Iterable[Resource],
    terms: dict[str, str],
    kind: str,
    request: ArmRequest,
    surface: Surface,
) -> Answer:
    row = surface.rows[kind.lower()]
    showing = surface.showing(request)
    wanted = [(each.id.lower(), each) for each in found if _fits(each, terms)]
    return paged(sorted(wanted), request, lambda each: shown(each, row, showing))


def _fits(resource: Resource, terms: dict[str, str]) -> bool:
    for term, value in terms.items():
        if term == "category":
            said: Any = category_of(resource)
        elif term in PROPERTIES:
            said = resource.properties.get(PROPERTIES[term])
        else:
            continue
        if str(said or "").lower() != value.lower():
            return False
    return True
