"""What the caller may do at a scope. Source: Microsoft.Authorization, Permissions, REST API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_permissions(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """What each of the caller's roles grants there; what is denied is not taken out."""
    found = surface.access.permissions_at(request.caller.principal, target["scope"])
    return Answer(200, {"value": list(found)})
