"""What private endpoints can be connected to: the account as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import account_of
from linarite.domain.account_names import private_zones
from linarite.domain.private_link import GROUP_ID, MEMBER_NAME

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface

TYPE = "Microsoft.CognitiveServices/accounts/privateLinkResources"


async def list_link_resources(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one group, with the zones in which its names are private."""
    del request
    account = await account_of(surface, target)
    group = {
        "id": f"{account.id}/privateLinkResources/{GROUP_ID}",
        "name": GROUP_ID,
        "type": TYPE,
        "properties": {
            "groupId": GROUP_ID,
            "displayName": GROUP_ID,
            "requiredMembers": [MEMBER_NAME],
            "requiredZoneNames": list(private_zones(surface.links.suffix)),
        },
    }
    return Answer(200, {"value": [group]})
