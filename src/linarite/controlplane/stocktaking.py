"""Reading from the stores what several resource types must know before they decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controlplane.quota import QuotaBook, quota_book
from linarite.domain.arm_errors import bad_request, resource_not_found, subscription_not_found
from linarite.domain.arm_id import location_key
from linarite.domain.resource import ACCOUNT_TYPE, DEPLOYMENT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.request import Target
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

ACCOUNT_PARTS = 9
"""segments of an account's id, with the empty one before its first slash"""


async def quotas_in(surface: Surface, location: str) -> QuotaBook:
    """What is taken of each pool of a region."""
    subscription = f"/subscriptions/{surface.realm.subscription}"
    return quota_book(
        surface.quota,
        await surface.resources.list_under(subscription, ACCOUNT_TYPE),
        await surface.resources.list_under(subscription, DEPLOYMENT_TYPE),
        location,
    )


def account_path(target: Target) -> str:
    """The part of a request's path that is an account's id."""
    return "/".join(target.path.split("/")[:ACCOUNT_PARTS])


async def account_of(surface: Surface, target: Target) -> Resource:
    """The account whose path a request's path continues. Raises ArmError 404."""
    found = await surface.resources.get(account_path(target))
    if found is None:
        raise resource_not_found(ACCOUNT_TYPE, target["account"], target["resource_group"])
    return found


def require_subscription(surface: Surface, target: Target) -> str:
    """The subscription's path. Raises ArmError 404."""
    if target["subscription"].lower() != surface.realm.subscription.lower():
        raise subscription_not_found(target["subscription"])
    return f"/subscriptions/{surface.realm.subscription}"


def require_location(surface: Surface, target: Target) -> str:
    """The region as this server writes it. Raises ArmError."""
    require_subscription(surface, target)
    location = location_key(target["location"])
    if not surface.realm.has(location):
        raise bad_request(
            "LocationNotAvailableForResourceType",
            f"The provided location '{target['location'][:100]}' is not available. List of "
            f"available regions is '{','.join(surface.realm.locations)}'.",
        )
    return location
