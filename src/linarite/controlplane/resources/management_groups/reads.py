"""The tenant's root management group, which holds the subscription.

Source: Microsoft.Management, Management Groups, REST API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.controlplane.request import Answer
from linarite.controlplane.verbs.parents import stored_parent_id
from linarite.domain.arm_errors import authorization_failed
from linarite.domain.arm_id import MANAGEMENT_GROUP_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import ArmRequest, Target
    from linarite.controlplane.surface import Realm, Surface


async def list_groups(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one, for whoever has any role in it."""
    del target
    realm = surface.realm
    seen = surface.access.has_part_in(request.caller.principal, _id(realm))
    return Answer(200, {"value": [_shown(realm, {})] if seen else []})


async def get_group(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The one; with `$expand=children` what it holds."""
    realm = surface.realm
    await _required(request, target.path, surface)
    details: dict[str, Any] = {
        "details": {"version": 1, "parent": None, "managementGroupAncestors": []}
    }
    if request.query.get("$expand", "").lower() == "children":
        details["children"] = [_subscription(realm)]
    return Answer(200, _shown(realm, details))


async def list_descendants(request: ArmRequest, target: Target, surface: Surface) -> Answer:
    """The subscription."""
    realm = surface.realm
    await _required(request, target.path.rpartition("/")[0], surface)
    told = _subscription(realm)
    return Answer(
        200,
        {
            "value": [
                {
                    "id": told["id"],
                    "type": f"{MANAGEMENT_GROUP_TYPE}/subscriptions",
                    "name": told["name"],
                    "properties": {
                        "displayName": told["displayName"],
                        "parent": {"id": _id(realm)},
                    },
                }
            ]
        },
    )


async def _required(request: ArmRequest, path: str, surface: Surface) -> None:
    """Let pass who has a part in it. Raises ArmError 404, 403."""
    await stored_parent_id(surface, path, MANAGEMENT_GROUP_TYPE, "read")
    caller = request.caller
    if not surface.access.has_part_in(caller.principal, path):
        raise authorization_failed(
            caller.name, caller.principal.object_id, f"{MANAGEMENT_GROUP_TYPE}/read", path
        )


def _id(realm: Realm) -> str:
    return f"/providers/{MANAGEMENT_GROUP_TYPE}/{realm.tenant}"


def _shown(realm: Realm, details: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _id(realm),
        "type": MANAGEMENT_GROUP_TYPE,
        "name": realm.tenant,
        "properties": {
            "tenantId": realm.tenant,
            "displayName": "Tenant Root Group",
            **details,
        },
    }


def _subscription(realm: Realm) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{realm.subscription}",
        "type": "/subscriptions",
        "name": realm.subscription,
        "displayName": realm.subscription_title,
    }
