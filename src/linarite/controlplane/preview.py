"""What a PUT would do, without doing it: for validation and for what-if."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.authorizing import require_linked
from linarite.controlplane.managed_identities import newly_assigned
from linarite.controlplane.policy.guard import judged
from linarite.controlplane.resource_type import found as present
from linarite.controlplane.verbs.put import proposed, require_name, without
from linarite.controlplane.wire import read_resource, shown
from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id
from linarite.domain.resource import Resource

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Surface


class Preview(msgspec.Struct, frozen=True):
    """The resource before and after, as clients read it."""

    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    """None where only the write itself can tell"""
    resource: Resource | None = None
    """what would be stored"""
    problems: tuple[Problem, ...] = ()
    """why it would be refused"""
    read_only: frozenset[str] = frozenset()
    """properties of it that the server alone sets"""


async def previewed(
    request: ArmRequest, target: Target, row: ResourceType, surface: Surface
) -> Preview:
    """What a PUT would come to; its parent need not be there yet. Raises ArmError.

    What a write checks in passing, such as `If-Match`, is not looked at.
    """
    sent = read_resource(request, row)
    require_name(target, row)
    old = await present(surface, row, target.path)
    parent = await surface.resources.get(parent_id(target.path))
    base = parent.id if parent is not None else parent_id(target.path)
    facts = await row.gather(surface, target)
    found = await judged(proposed(sent, old, target, row, base), request, row, surface)
    new = row.complete(found.resource, old, facts)
    require_linked(
        surface,
        request.caller,
        (f"{row.grants}/write", target.path),
        [*row.linked(new, old), *newly_assigned(new, old)],
    )
    problems = [*found.problems, *row.admit(new, old, facts)]
    showing = surface.showing(request)
    # Parts of a resource may show its etag: a preview is about nothing that only a write changes.
    new = msgspec.structs.replace(new, etag=old.etag if old is not None else "")
    return Preview(
        before=None if old is None else shown(old, row, showing),
        after=None if problems else shown(new, row, showing),
        resource=None if problems else without(new, row.write_only),
        problems=tuple(problems),
        read_only=row.read_only,
    )
