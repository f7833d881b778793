"""Every resource under a scope with its state under every policy, evaluated when it is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.controlplane.policy.facts import as_stored, connections_of, world_of
from linarite.controls.policy.compliance import Survey
from linarite.domain.resource import ACCOUNT_TYPE
from linarite.domain.scopes import AUTHORIZATION, holds, scope_key

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface
    from linarite.controls.policy.compliance import Standing
    from linarite.controls.policy.decisions import Subject
    from linarite.domain.resource import Resource

NOT_LOOKED_AT = ("microsoft.authorization/", "microsoft.resources/deployments")
"""types whose resources have no compliance"""
AT_A_TIME = 20
"""resources that are looked at before others get their turn"""


async def standings_under(request: ArmRequest, surface: Surface, scope: str) -> list[Standing]:
    """What lies under a scope. `scope` may be a policy's id: then all that it applies to.

    Raises PoliciesUnknown.
    """
    policies = surface.policies.policies
    under, policy = _parted(scope)
    everything = await _subjects(request, surface) if policies.bound else []
    survey = Survey(policies, surface.policies.expressions, [each for each, _ in everything])
    found: list[Standing] = []
    for at, (subject, resource) in enumerate(everything):
        if not holds(under, scope_key(subject.id)):
            continue
        world = await world_of(surface, resource, request.api_version)
        found += [
            each for each in survey.standings(subject, world) if not policy or _is_of(each, policy)
        ]
        if at % AT_A_TIME == 0:
            await asyncio.sleep(0)
    return found


def _parted(scope: str) -> tuple[str, str]:
    """The scope that resources lie under, and the policy's id if the scope is one."""
    key = scope_key(scope)
    at = key.rfind(f"{AUTHORIZATION}policy")
    return (key[:at], key) if at >= 0 else (key, "")


def _is_of(standing: Standing, policy: str) -> bool:
    bound = standing.bound
    ids = [bound.assignment.resource.id, bound.definition.resource.id]
    if bound.initiative is not None:
        ids.append(bound.initiative.resource.id)
    return policy in map(scope_key, ids)


async def _subjects(request: ArmRequest, surface: Surface) -> list[tuple[Subject, Resource]]:
    showing = surface.showing(request)
    subscription = f"/subscriptions/{surface.realm.subscription}"
    found: list[tuple[Subject, Resource]] = []
    rows: list[ResourceType] = [
        row for row in surface.rows.values() if not row.type.lower().startswith(NOT_LOOKED_AT)
    ]
    for row in rows:
        if "PUT" not in row.verbs:
            continue
        for resource in await surface.resources.list_under(subscription, row.type):
            of_account = row.type == ACCOUNT_TYPE
            connections = await connections_of(surface, resource.id) if of_account else []
            found.append((as_stored(resource, row, showing, connections), resource))
    return found
