"""What usage limits need from the stores, and what is used of one."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer, Target
from linarite.controlplane.resources.usage_limits.rules import LimitFacts, keep_problems
from linarite.controlplane.verbs.get import existing
from linarite.controlplane.verbs.list import paged
from linarite.domain.application_key import APPLICATION_KEY_TYPE
from linarite.domain.arm_id import parent_id, same_id
from linarite.domain.resource import DEPLOYMENT_TYPE
from linarite.domain.usage_limits import (
    PROJECT_TYPE,
    USAGE_LIMIT_TYPE,
    Kind,
    Standing,
    of_account,
    told,
    usage_limit,
)

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.surface import Surface
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

LOOKED_UP = {
    Kind.DEPLOYMENT: DEPLOYMENT_TYPE,
    Kind.APPLICATION_KEY: APPLICATION_KEY_TYPE,
    Kind.PROJECT: PROJECT_TYPE,
}


async def gather(surface: Surface, target: Target) -> LimitFacts:
    """What the account has that a limit may name, and how many limits there are."""
    scope = parent_id(target.path)
    stored = await surface.resources.list_under(scope, USAGE_LIMIT_TYPE)
    return LimitFacts(
        others=sum(
            same_id(parent_id(each.id), scope) and not same_id(each.id, target.path)
            for each in stored
        ),
        present={
            kind: tuple(each.name for each in await surface.resources.list_under(scope, type_))
            for kind, type_ in LOOKED_UP.items()
        }
        if of_account(scope)
        else {},
    )


async def keep(surface: Surface, limit: Resource) -> list[Problem]:
    """Whether it may go."""
    del surface
    return keep_problems(limit)


async def list_usage(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What each subject has used of each measure, and what is left: those that are remembered."""
    row = surface.rows[USAGE_LIMIT_TYPE.lower()]
    place = Target(target.path.rpartition("/")[0], target.names)
    limit = usage_limit(await existing(place, row, surface, "read"))
    found = await surface.limit_counts.standing(limit)
    ordered = [(_place(each), each) for each in found]
    return paged(sorted(ordered, key=itemgetter(0)), request, _shown)


def _place(standing: Standing) -> str:
    """Where it comes in a list: `Bob` and `bob` are two."""
    subject = standing.subject
    return f"{subject.lower()}|{subject}|{standing.bound.measure.name}"


def _shown(standing: Standing) -> dict[str, Any]:
    measure, amount = standing.bound.measure, standing.bound.amount
    shown: dict[str, Any] = {
        "subject": standing.subject,
        "measure": measure.name,
        "used": told(measure, standing.used),
        "limit": told(measure, amount),
        "left": told(measure, max(0, amount - standing.used)),
    }
    if standing.resets_at:
        shown["resetsAt"] = standing.resets_at
    return shown
