"""Telling what a group's webhooks are signed with. Ours; Azure does not sign them."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from linarite.controlplane.request import Answer
from linarite.domain.alerts import ACTION_GROUP_TYPE, SEALED_SECRET, secret_name
from linarite.domain.arm_errors import resource_not_found

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Surface


async def list_signing_secret(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The secret, as libraries for Standard Webhooks take it."""
    del request
    group_id = target.path.rpartition("/")[0]
    group = await surface.resources.get(group_id)
    if group is None:
        raise resource_not_found(
            ACTION_GROUP_TYPE, target["action_group"], target["resource_group"]
        )
    secret = surface.box.unseal(secret_name(group.id), group.properties[SEALED_SECRET])
    return Answer(200, {"signingSecret": f"whsec_{b64encode(secret).decode()}"})
