"""The list of locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.access_lists import AT_SCOPE, around_and_below
from linarite.controlplane.filters import filter_terms
from linarite.controlplane.verbs.list import paged
from linarite.controlplane.wire import shown
from linarite.domain.roles import LOCK_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_locks(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """At the scope, around it and, without `atScope()`, below it."""
    terms = filter_terms(request, frozenset((AT_SCOPE,)))
    found = await around_and_below(request, target, surface, LOCK_TYPE, at_scope=AT_SCOPE in terms)
    row = surface.rows[LOCK_TYPE.lower()]
    showing = surface.showing(request)
    wanted = [(each.id.lower(), each) for each in found]
    return paged(sorted(wanted), request, lambda each: shown(each, row, showing))
