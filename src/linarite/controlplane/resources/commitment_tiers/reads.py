"""What could be committed to in a region: nothing, since this server sells nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_location

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_tiers(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """An empty list, for a region that is there."""
    del request
    require_location(surface, target)
    return Answer(200, {"value": []})
