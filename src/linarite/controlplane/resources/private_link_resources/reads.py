"""What private endpoints can be connected to: the account as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/accounts/privateLinkResources"
ZONES = (
    "privatelink.cognitiveservices.azure.com",
    "privatelink.openai.azure.com",
    "privatelink.services.ai.azure.com",
)


async def list_link_resources(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one group, with the zones that Azure names."""
    del request
    account = await account_of(surface, target)
    group = {
        "id": f"{account.id}/privateLinkResources/account",
        "name": "account",
        "type": TYPE,
        "properties": {
            "groupId": "account",
            "displayName": "account",
            "requiredMembers": ["default"],
            "requiredZoneNames": list(ZONES),
        },
    }
    return Answer(200, {"value": [group]})
