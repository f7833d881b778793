"""Tenants, subscriptions and regions: fixed while the server runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.stocktaking import require_subscription

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Place, Realm, Surface


async def list_tenants(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one tenant."""
    del request, target
    tenant = surface.realm.tenant
    return Answer(
        200,
        {
            "value": [
                {
                    "id": f"/tenants/{tenant}",
                    "tenantId": tenant,
                    "displayName": surface.realm.subscription_title,
                    "defaultDomain": "linarite.local",
                    "domains": ["linarite.local"],
                    "tenantCategory": "Home",
                    "tenantType": "AAD",
                }
            ]
        },
    )


async def list_subscriptions(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one subscription, for whoever has any role in it."""
    del target
    path = f"/subscriptions/{surface.realm.subscription}"
    seen = surface.access.has_part_in(request.caller.principal, path)
    found = [_shown(surface.realm)] if seen else []
    return Answer(200, {"value": found, "count": {"type": "Total", "value": len(found)}})


async def get_subscription(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The subscription by its GUID."""
    del request
    require_subscription(surface, target)
    return Answer(200, _shown(surface.realm))


async def list_locations(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The regions that settings declare."""
    del request
    subscription = require_subscription(surface, target)
    return Answer(
        200, {"value": [_location(place, subscription) for place in surface.realm.places]}
    )


def _shown(realm: Realm) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{realm.subscription}",
        "subscriptionId": realm.subscription,
        "tenantId": realm.tenant,
        "displayName": realm.subscription_title,
        "state": "Enabled",
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {
            "locationPlacementId": "Internal_2014-09-01",
            "quotaId": "Internal_2014-09-01",
            "spendingLimit": "Off",
        },
        "managedByTenants": [],
    }


def _location(place: Place, subscription: str) -> dict[str, Any]:
    return {
        "id": f"{subscription}/locations/{place.name}",
        "name": place.name,
        "type": "Region",
        "displayName": place.title,
        "regionalDisplayName": place.title,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    }
