"""Lists of extension resources: what lies at a scope, below it and, if wanted, around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.authorizing import readable
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.scopes import holds, scope_key, scope_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

AT_SCOPE = "atscope"
"""the filter that leaves out what lies below"""


async def around_and_below(
    request: ArmRequest, target: Target, surface: Surface, kind: str, *, at_scope: bool
) -> list[Resource]:
    """Those that count at a scope and, unless `at_scope`, those below it; what may be read of them.

    Raises ArmError 404 when there is no such scope.
    """
    scope = scope_key(await stored_parent_id(surface, target["scope"], kind, "read"))
    found = [
        each
        for each in await surface.resources.list_under("", kind)
        if holds(scope_key(scope_of(each.id)), scope)
        or (not at_scope and holds(scope, scope_key(scope_of(each.id))))
    ]
    return readable(surface, request.caller, found)
