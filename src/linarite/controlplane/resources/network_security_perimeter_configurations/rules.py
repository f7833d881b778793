"""What a network security perimeter says of an account.

The network provider writes these when a perimeter is associated with the account; there is none
here, so no account has any, and none can be reconciled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.stocktaking import account_of
from linarite.domain.arm_errors import resource_not_found

if TYPE_CHECKING:
    from linarite.controlplane.request import Answer, ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/accounts/networkSecurityPerimeterConfigurations"


async def reconcile(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """Raises ArmError 404: there is no such configuration."""
    del request
    account = await account_of(surface, target)
    name = f"{account.name}/{target['configuration']}"
    raise resource_not_found(TYPE, name, target["resource_group"])
