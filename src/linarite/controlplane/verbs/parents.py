"""A resource lies in something that must be there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.arm_errors import (
    management_group_not_found,
    parent_not_found,
    resource_group_not_found,
    subscription_not_found,
)
from linarite.domain.arm_id import (
    MANAGEMENT_GROUP_TYPE,
    RESOURCE_GROUP_TYPE,
    SUBSCRIPTION_TYPE,
    parent_id,
    resource_group_of,
    same_id,
    subscription_of,
    type_of,
)

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface


LOCATIONS = "/locations"


async def stored_parent_id(surface: Surface, parent: str, resource_type: str, verb: str) -> str:
    """The parent's id as it was first written.

    Raises ArmError 404 for the outermost thing that is missing: subscription, group, parent.
    """
    if not parent:
        return parent
    kind = type_of(parent)
    if kind == SUBSCRIPTION_TYPE:
        if not same_id(parent, f"/subscriptions/{surface.realm.subscription}"):
            raise subscription_not_found(subscription_of(parent))
        return f"/subscriptions/{surface.realm.subscription}"
    if kind.lower() == MANAGEMENT_GROUP_TYPE.lower():
        own = f"/providers/{MANAGEMENT_GROUP_TYPE}/{surface.realm.tenant}"
        if not same_id(parent, own):
            raise management_group_not_found(parent.rpartition("/")[2])
        return own
    if LOCATIONS in kind.lower():  # what lies below a location lies in no stored resource
        await stored_parent_id(surface, f"/subscriptions/{subscription_of(parent)}", kind, verb)
        return parent
    found = await surface.resources.get(parent)
    if found is not None:
        return found.id
    await stored_parent_id(surface, parent_id(parent), kind, verb)
    if kind == RESOURCE_GROUP_TYPE:
        raise resource_group_not_found(resource_group_of(parent))
    raise parent_not_found(verb, resource_type, parent)
