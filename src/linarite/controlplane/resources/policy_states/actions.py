"""Queries of compliance, at every scope. States are evaluated when they are asked for.

Source: "Policy States", REST API of Microsoft.PolicyInsights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from linarite.controlplane.request import Answer
from linarite.controlplane.resources.policy_states.query import (
    PAGE,
    fits,
    ordered,
    read_query,
    selected,
)
from linarite.controlplane.resources.policy_states.records import record_of, summary_of
from linarite.controlplane.resources.policy_states.survey import standings_under
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.arm_errors import ArmError
from linarite.domain.scopes import AUTHORIZATION

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.PolicyInsights/policyStates"
VIEWS = ("latest", "default")
"""the last state, or every one that was kept: there is only the last"""


async def query_results(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """A record for each resource and policy."""
    scope = await _scope(target, surface)
    query = read_query(request)
    context = _context(request, target)
    now = surface.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    records = [
        record_of(each, now, surface.realm.tenant, context, details=query.details)
        for each in await standings_under(request, surface, scope)
    ]
    wanted = ordered([each for each in records if fits(each, query)], query)
    limited = wanted[: query.start + query.top] if "$top" in request.query else wanted
    page = limited[query.start : query.start + min(query.top, PAGE)]
    end = query.start + len(page)
    return Answer(
        200,
        {
            "@odata.context": context,
            "@odata.count": len(page),
            "@odata.nextLink": _next(request, end, len(limited) - end),
            "value": [selected(each, query) for each in page],
        },
    )


async def summarize(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Counts, in all and for each assignment."""
    scope = await _scope(target, surface)
    query = read_query(request)
    context = _context(request, target)
    now = surface.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    standings = [
        each
        for each in await standings_under(request, surface, scope)
        if fits(record_of(each, now, "", context, details=False), query)
    ]
    path = target.path.rpartition("/")[0]
    uri = f"{request.base_url}{quote(path)}/queryResults?api-version={request.api_version}"
    summary = summary_of(standings, uri, context)
    return Answer(200, {"@odata.context": context, "@odata.count": 1, "value": [summary]})


async def trigger_evaluation(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Done at once: every state is evaluated when it is asked for."""
    del request
    await _scope(target, surface)
    return Answer(200)


async def _scope(target: Target, surface: Surface) -> str:
    """The scope as it was first written. Raises ArmError 404."""
    if target["view"] and target["view"].lower() not in VIEWS:
        raise ArmError(
            400,
            "InvalidPolicyStatesResource",
            f"'{target['view'][:60]}' is none of {', '.join(VIEWS)}.",
        )
    scope = target["scope"]
    at = scope.lower().rfind(f"{AUTHORIZATION}policy")
    if at >= 0:
        outer = await stored_parent_id(surface, scope[:at], TYPE, "read")
        return f"{outer}{scope[at:]}"
    return await stored_parent_id(surface, scope, TYPE, "read")


def _context(request: ArmRequest, target: Target) -> str:
    view = target["view"] or VIEWS[0]
    path = f"{target['scope']}/providers/{TYPE}"
    return f"{request.base_url}{quote(path)}/$metadata#{view}"


def _next(request: ArmRequest, start: int, left: int) -> str | None:
    """Where the rest can be asked for; None when nothing is left."""
    if left <= 0:
        return None
    query: dict[str, Any] = request.query | {
        "api-version": request.api_version,
        "$skiptoken": str(start),
    }
    if "$top" in request.query:
        query["$top"] = str(left)
    return f"{request.base_url}{quote(request.path)}?{urlencode(query, safe='$')}"
