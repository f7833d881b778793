"""Where a deployment goes, as its expressions see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.templates.facts import Surroundings
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.arm_id import parent_id, subscription_of

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.controlplane.resources.template_deployments.sent import Sent
    from linarite.controlplane.resources.template_deployments.world import Errand
    from linarite.controlplane.surface import Surface

DEPLOYMENT_TYPE = "Microsoft.Resources/deployments"


class DeploymentPlace(msgspec.Struct, frozen=True):
    """The deployment itself: its id and what stands at its top."""

    id: str
    name: str
    location: str | None = None

    @property
    def scope(self) -> str:
        """The id of the group or subscription that is deployed to."""
        return parent_id(self.id)


async def surroundings(
    surface: Surface, place: DeploymentPlace, sent: Sent, errand: Errand, now: datetime
) -> Surroundings:
    """What `resourceGroup()`, `deployment()` and their like answer. Raises ArmError 404."""
    scope = await stored_parent_id(surface, place.scope, DEPLOYMENT_TYPE, "write")
    realm = surface.realm
    subscription_id = f"/subscriptions/{subscription_of(scope)}"
    group = await surface.resources.get(scope)
    deployment: dict[str, Any] = {
        "name": place.name,
        "properties": {
            "mode": "Incremental",
            "provisioningState": "Accepted",
            "template": {
                "contentVersion": str(sent.template.get("contentVersion") or ""),
                "$schema": str(sent.template.get("$schema") or ""),
            },
            "templateHash": sent.template_hash,
        },
    }
    if place.location is not None:
        deployment["location"] = place.location
    return Surroundings(
        subscription={
            "id": subscription_id,
            "subscriptionId": subscription_of(scope),
            "tenantId": realm.tenant,
            "displayName": realm.subscription_title,
        },
        resource_group=None
        if group is None
        else {
            "id": group.id,
            "name": group.name,
            "type": group.type,
            "location": group.location,
            "tags": group.tags or {},
            "properties": {"provisioningState": "Succeeded"},
        },
        deployment=deployment,
        environment=environment(errand.base_url, realm.tenant),
        deployer={
            "objectId": errand.caller.principal.object_id or errand.caller.name,
            "tenantId": realm.tenant,
        },
        now=now,
    )


def environment(base_url: str, tenant: str) -> dict[str, Any]:
    """What `environment()` answers: the addresses of this cloud, which is this server."""
    return {
        "name": "Linarite",
        "resourceManager": f"{base_url}/",
        "authentication": {
            "loginEndpoint": f"{base_url}/",
            "audiences": ["https://management.azure.com/", f"{base_url}/"],
            "tenant": tenant,
            "identityProvider": "AAD",
        },
        "suffixes": {},
    }
