"""Whether a caller may do what a request asks, and what to say if not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.access import ALLOWED_BY_KEY, NO_ASSIGNMENT, Decision
from linarite.domain.arm_errors import (
    authorization_failed,
    linked_authorization_failed,
    person_needed,
    scope_locked,
)
from linarite.domain.roles import LOCK_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from linarite.controlplane.caller import Caller
    from linarite.controlplane.plane import Operation
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

    Linked = Sequence[tuple[str, str]]


NOT_ASKED = Decision(allowed=True, rule=NO_ASSIGNMENT, reason="It takes no permission.")


async def require_permission(
    operation: Operation, request: ArmRequest, target: Target, surface: Surface
) -> Decision:
    """Let a request pass that its caller may make, and tell what decided. Raises ArmError 403.

    What conditions can only decide when the body is known passes until it is.
    """
    caller = request.caller
    if operation.public or (caller.principal.is_key and not operation.is_data):
        return ALLOWED_BY_KEY
    scope = scope_asked(operation, target)
    if operation.entry == "part":
        scope = _where_a_part_is_enough(target)
    if caller.principal.is_key:
        raise person_needed(operation.permission, scope)
    decision, passes = await _decided(operation, request, target, surface, scope)
    if not passes:
        raise authorization_failed(
            caller.name, caller.principal.object_id, operation.permission, scope
        )
    return decision


def may(surface: Surface, caller: Caller, action: str, scope: str) -> bool:
    """Whether a caller may do something somewhere, conditions on the request left aside."""
    return surface.access.decide(caller.principal, action, scope).allowed


def readable(surface: Surface, caller: Caller, resources: Iterable[Resource]) -> list[Resource]:
    """Those that a caller may read."""
    if caller.principal.is_key:
        return list(resources)
    return [
        each
        for each in resources
        if may(surface, caller, f"{granted_as(surface, each)}/read", each.id)
    ]


def granted_as(surface: Surface, resource: Resource) -> str:
    """What the permissions on a resource begin with."""
    row = surface.rows.get(resource.type.lower())
    return str(row.grants) if row is not None else resource.type


def require_linked(surface: Surface, caller: Caller, done: tuple[str, str], linked: Linked) -> None:
    """Let a write pass whose maker may do what it takes elsewhere. Raises ArmError 403.

    Asked before the write is admitted: a scope that was left out is for that to refuse.
    """
    who = (caller.name, caller.principal.object_id)
    for action, scope in linked:
        if scope and not may(surface, caller, action, scope):
            raise linked_authorization_failed(who, done, (action, scope))


async def require_unlocked(
    operation: Operation, request: ArmRequest, target: Target, surface: Surface
) -> None:
    """Let a write, deletion or action pass that no lock forbids. Raises ArmError 409.

    Locks hold against everybody, the management key included; they can be removed by whoever may.
    An action is held up where it is done to a resource that is there.
    """
    if operation.type == LOCK_TYPE:
        return
    scope, deleting = scope_asked(operation, target), request.method == "DELETE"
    locked = surface.access.locked(scope, deleting=deleting)
    if not locked:
        return
    if request.method == "POST" and await surface.resources.get(scope) is None:
        return
    raise scope_locked(scope, "delete" if deleting else "write", locked)


def scope_asked(operation: Operation, target: Target) -> str:
    """What a request is about: of an action or list, that to which it is done."""
    if operation.permission.endswith("/action") or operation.lists:
        return target.path.rpartition("/")[0]
    return target.path


async def _decided(
    operation: Operation, request: ArmRequest, target: Target, surface: Surface, scope: str
) -> tuple[Decision, bool]:
    """What the rules say, and whether the request passes: some do that no role grants."""
    principal, permission = request.caller.principal, operation.permission
    if operation.entry == "anyone":
        return NOT_ASKED, True
    if operation.entry == "part":
        return NOT_ASKED, surface.access.has_part_in(principal, scope)
    attributes = await operation.attributes(request, target, surface)
    decision = surface.access.decide(
        principal, permission, scope, is_data=operation.is_data, attributes=attributes
    )
    passes = (
        decision.allowed
        or attributes is None
        or (
            operation.lists
            and surface.access.reaches_into(principal, permission, _without_provider(scope))
        )
    )
    return decision, passes


def _where_a_part_is_enough(target: Target) -> str:
    group = target["resource_group"]
    within = f"/resourceGroups/{group}" if group else ""
    return f"/subscriptions/{target['subscription']}{within}"


def _without_provider(scope: str) -> str:
    """`…/providers/Microsoft.X` is no place that holds anything: the scope before it is."""
    parts = scope.rsplit("/", 2)
    return parts[0] if len(parts) > 1 and parts[1].lower() == "providers" else scope
