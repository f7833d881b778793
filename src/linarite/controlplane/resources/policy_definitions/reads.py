"""The list of policy definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.policy.lists import built_in_one, definitions_at
from linarite.controls.policy.built_in import BUILT_IN
from linarite.controls.policy.definitions import DEFINITION_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_definitions(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The built-in ones, and those made at the scope or around it."""
    return await definitions_at(request, target, surface, DEFINITION_TYPE, BUILT_IN)


async def get_built_in(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """A built-in definition. Raises ArmError 404."""
    return await built_in_one(request, target, surface, DEFINITION_TYPE)
