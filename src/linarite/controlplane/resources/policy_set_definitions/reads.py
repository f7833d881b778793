"""The list of initiatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.policy.lists import built_in_one, definitions_at
from linarite.controls.policy.built_in import BUILT_IN_SETS
from linarite.controls.policy.definitions import SET_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_sets(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The built-in ones, and those made at the scope or around it."""
    return await definitions_at(request, target, surface, SET_TYPE, BUILT_IN_SETS)


async def get_built_in(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """A built-in initiative. Raises ArmError 404."""
    return await built_in_one(request, target, surface, SET_TYPE)
