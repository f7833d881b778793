"""The one place where policies meet writes and deletes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.policy.events import by_policy
from linarite.controlplane.policy.facts import as_proposed, connections_of, rewritten, world_of
from linarite.controlplane.policy.refusals import disallowed
from linarite.controls.policy.decisions import Court, Finding
from linarite.domain.arm_errors import Problem, refusal
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE
from linarite.domain.resource import ACCOUNT_TYPE, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface
    from linarite.controls.policy.decisions import Subject, Verdict

AUTHORIZATION = "microsoft.authorization/"
POLICIES = f"{AUTHORIZATION}policy"
"""what rules never look at: nobody locks themselves out of changing them"""


class Judged(msgspec.Struct, frozen=True):
    """What policies make of a write."""

    resource: Resource
    """as they have changed it"""
    modified: tuple[Finding, ...] = ()
    denied: tuple[Finding, ...] = ()
    audited: tuple[Finding, ...] = ()

    @property
    def problems(self) -> list[Problem]:
        """Why it is refused."""
        return [disallowed(self.resource.name, self.denied)] if self.denied else []


async def judged(new: Resource, request: ArmRequest, row: ResourceType, surface: Surface) -> Judged:
    """What policies say of a resource that is about to be written. Raises PoliciesUnknown.

    They look at what was asked for, before the server completes it, as Azure's do.
    """
    policies = surface.policies.policies
    if not policies.bound or row.type.lower().startswith(POLICIES):
        return Judged(new)
    connections = await connections_of(surface, new.id) if row.type == ACCOUNT_TYPE else []
    subject = as_proposed(new, row, connections)
    if not policies.over(subject):
        return Judged(new)
    world = await world_of(surface, new, request.api_version)
    verdict = Court(policies, surface.policies.expressions).on_write(subject, world)
    return _judged(new, subject, verdict)


def _judged(new: Resource, subject: Subject, verdict: Verdict) -> Judged:
    return Judged(
        rewritten(new, subject, verdict.content),
        verdict.modified,
        verdict.denied,
        verdict.audited,
    )


async def require_compliant(
    new: Resource, request: ArmRequest, row: ResourceType, surface: Surface
) -> Judged:
    """Let a write pass that no policy refuses; what refuses it is logged. Raises ArmError 403."""
    found = await judged(new, request, row, surface)
    if found.denied:
        await _log("deny", new, found.denied, request, surface)
        raise refusal(found.problems)
    return found


async def tell(found: Judged, request: ArmRequest, surface: Surface) -> None:
    """Log what policies have changed and found of a write that was made."""
    await _log("modify", found.resource, found.modified, request, surface)
    await _log("audit", found.resource, found.audited, request, surface)


async def require_deletable(
    resource: Resource, request: ArmRequest, row: ResourceType, surface: Surface
) -> None:
    """Let a delete pass that no policy forbids, of a resource group with all in it.

    Raises ArmError 403.
    """
    policies = surface.policies.policies
    if not policies.bound or row.type.lower().startswith(AUTHORIZATION):
        return
    court = Court(policies, surface.policies.expressions)
    going = [(resource, row, False)]
    if row.type == RESOURCE_GROUP_TYPE:
        going += [
            (inner, inner_row, True)
            for inner_row in surface.rows.values()
            if inner_row.type != row.type and not inner_row.type.lower().startswith(AUTHORIZATION)
            for inner in await surface.resources.list_under(resource.id, inner_row.type)
        ]
    for each, of, cascading in going:
        subject = as_proposed(each, of, [])
        world = await world_of(surface, each, request.api_version)
        if findings := court.on_delete(subject, world, cascading=cascading):
            await _log("denyAction", each, findings, request, surface)
            raise refusal([disallowed(each.name, findings, verb="deleted")])


async def _log(
    word: str,
    resource: Resource,
    findings: Sequence[Finding],
    request: ArmRequest,
    surface: Surface,
) -> None:
    """One event of the activity log for all policies that have done the same."""
    if findings:
        at = surface.now().isoformat()
        event = by_policy(word, resource, findings, request, surface.realm, at)
        await surface.activity.add([event])
