"""The list of assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.policy.lists import assigned_at
from linarite.controls.policy.definitions import ASSIGNMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_assignments(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What counts at the scope and below it, as `$filter` wants it."""
    return await assigned_at(request, target, surface, ASSIGNMENT_TYPE)
