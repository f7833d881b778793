"""Taking ARM resource ids apart. Ids are compared without case and keep the case they came in."""

from __future__ import annotations

RESOURCE_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
MANAGEMENT_GROUP_TYPE = "Microsoft.Management/managementGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


def segments_of(resource_id: str) -> list[str]:
    """What stands between the slashes."""
    return [part for part in resource_id.split("/") if part]


def parent_id(resource_id: str) -> str:
    """The id one step up: of the account, of the resource group, of the subscription; "" above.

    A resource of a provider lies directly under the scope before `/providers/`.
    """
    return _scope(segments_of(resource_id)[:-2])


def collection_parent_id(collection_path: str) -> str:
    """Whose members a collection lists: the path without its last word."""
    return _scope(segments_of(collection_path)[:-1])


def type_of(resource_id: str) -> str:
    """The full resource type: namespace and type words, joined by slashes."""
    parts = segments_of(resource_id)
    lowered = [part.lower() for part in parts]
    if "providers" not in lowered:
        return RESOURCE_GROUP_TYPE if "resourcegroups" in lowered else SUBSCRIPTION_TYPE
    start = len(parts) - 1 - lowered[::-1].index("providers") + 1
    return "/".join([parts[start], *parts[start + 1 :: 2]])


def subscription_of(resource_id: str) -> str:
    """The subscription's id; "" for what lies in none."""
    parts = segments_of(resource_id)
    return parts[1] if len(parts) > 1 and parts[0].lower() == "subscriptions" else ""


def resource_group_of(resource_id: str) -> str:
    """The resource group's name; "" for what lies in none."""
    parts = segments_of(resource_id)
    in_group = len(parts) > 3 and parts[2].lower() == "resourcegroups"  # noqa: PLR2004 - where a group's name stands
    return parts[3] if in_group else ""


def same_id(one: str, other: str) -> bool:
    """Whether two ids mean the same resource."""
    return one.lower().rstrip("/") == other.lower().rstrip("/")


def _scope(parts: list[str]) -> str:
    if len(parts) >= 2 and parts[-2].lower() == "providers":  # noqa: PLR2004 - the word and a name
        parts = parts[:-2]
    return "".join(f"/{part}" for part in parts)


def location_key(location: str) -> str:
    """A location as it is compared: `East US 2` is `eastus2`."""
    return location.replace(" ", "").lower()
