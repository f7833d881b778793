"""From stored resources to what policy rules look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.wire import shown, top_of
from linarite.controls.policy.aliases import DATA_DEPLOYMENT, DEPLOYMENT
from linarite.controls.policy.decisions import Subject
from linarite.controls.policy.evaluation import World
from linarite.domain.arm_id import resource_group_of, segments_of
from linarite.domain.resource import ACCOUNT_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Showing, Surface
    from linarite.domain.resource import Resource

CONNECTIONS = "privateEndpointConnections"
"""children of accounts that Azure also shows among the properties of their account"""
CHANGEABLE = ("kind", "sku", "tags", "identity")
"""what `modify` may change beside properties"""


def as_proposed(
    resource: Resource, row: ResourceType, connections: list[dict[str, Any]]
) -> Subject:
    """A resource that is about to be written, as it was asked for."""
    hidden = row.hidden | row.write_only
    properties = {key: value for key, value in resource.properties.items() if key not in hidden}
    return _subject(
        resource, row, top_of(resource) | {"tags": resource.tags}, properties, connections
    )


def as_stored(
    resource: Resource, row: ResourceType, showing: Showing, connections: list[dict[str, Any]]
) -> Subject:
    """A resource that is there, as clients read it."""
    view = shown(resource, row, showing)
    properties = cast("dict[str, Any]", view.pop("properties"))
    return _subject(resource, row, view, properties, connections)


def _subject(
    resource: Resource,
    row: ResourceType,
    top: dict[str, Any],
    properties: dict[str, Any],
    connections: list[dict[str, Any]],
) -> Subject:
    kind = policy_type(row)
    if kind == ACCOUNT_TYPE:
        properties = properties | {CONNECTIONS: connections}
    content = {key: value for key, value in top.items() if value is not None} | {
        "type": kind,
        "fullName": full_name(resource.id),
        "properties": properties,
    }
    return Subject(
        id=resource.id,
        type=kind,
        indexed=row.tracked and resource.location is not None and not _is_group(row),
        content=content,
        data_content=_data_content(content),
    )


def policy_type(row: ResourceType) -> str:
    """The type as policies name it; of resource groups, that of their permissions."""
    return row.grants


def _is_group(row: ResourceType) -> bool:
    return row.grants.lower().endswith("/resourcegroups")


def full_name(resource_id: str) -> str:
    """Its name with those of the resources that it lies in."""
    parts = segments_of(resource_id)
    lowered = [part.lower() for part in parts]
    if "providers" not in lowered:
        return parts[-1] if parts else ""
    start = len(parts) - 1 - lowered[::-1].index("providers") + 1
    return "/".join(parts[start + 2 :: 2])


def _data_content(content: dict[str, Any]) -> dict[str, Any] | None:
    """A deployment as mode Microsoft.CognitiveServices.Data sees it: by publisher and asset."""
    if content["type"] != DEPLOYMENT:
        return None
    properties = cast("dict[str, Any]", content["properties"])
    model = dict(cast("dict[str, Any]", properties.get("model") or {}))
    publisher = model.get("publisher") or model.get("format")
    registry = "azure-openai" if str(publisher).lower() == "openai" else "azureml"
    asset = f"azureml://registries/{registry}/models/{model.get('name')}"
    if model.get("version"):
        asset = f"{asset}/versions/{model['version']}"
    model |= {"publisher": publisher, "assetId": asset}
    return content | {"type": DATA_DEPLOYMENT, "properties": properties | {"model": model}}


def rewritten(resource: Resource, before: Subject, content: dict[str, Any]) -> Resource:
    """The resource with what policies have changed of it."""
    if content == before.content:
        return resource
    properties = {key: value for key, value in content["properties"].items() if key != CONNECTIONS}
    kept = {
        key: value
        for key, value in resource.properties.items()
        if key not in before.content["properties"] or key == CONNECTIONS
    }
    fields = {key: content.get(key) for key in CHANGEABLE}
    return msgspec.structs.replace(resource, properties=kept | properties, **fields)


async def connections_of(surface: Surface, account_id: str) -> list[dict[str, Any]]:
    """The private endpoint connections of an account."""
    found = await surface.resources.list_under(account_id, f"{ACCOUNT_TYPE}/{CONNECTIONS}")
    return [{"id": each.id, "name": each.name} | each.properties for each in found]


async def world_of(surface: Surface, resource: Resource, api_version: str) -> World:
    """What rules may ask beside the resource."""
    realm = surface.realm
    path = f"/subscriptions/{realm.subscription}"
    name = resource_group_of(resource.id)
    group = await surface.resources.get(f"{path}/resourceGroups/{name}") if name else None
    if name and group is None:
        group = resource  # the group itself, about to be made
    return World(
        subscription={
            "id": path,
            "subscriptionId": realm.subscription,
            "tenantId": realm.tenant,
            "displayName": realm.subscription_title,
        },
        resource_group=None
        if group is None
        else {
            "id": group.id,
            "name": group.name,
            "location": group.location,
            "tags": group.tags or {},
            "properties": {"provisioningState": "Succeeded"},
        },
        request={"apiVersion": api_version},
        now=surface.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
