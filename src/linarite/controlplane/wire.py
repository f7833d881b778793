"""Between a stored resource and its JSON: reading what was sent, showing what is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.managed_identities import shown_identity
from linarite.controlplane.problems import shape_problems
from linarite.controlplane.spelling import spelled
from linarite.domain.arm_errors import content_invalid, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.controlplane.request import ArmRequest
    from linarite.controlplane.resource_type import ResourceType
    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource


class SentSku(msgspec.Struct):
    """The SKU of any resource; more properties may come with it."""

    name: str | None = None
    tier: str | None = None
    size: str | None = None
    family: str | None = None
    capacity: int | None = None


class SentResource(msgspec.Struct, rename="camel"):
    """What a client may set at the top of any resource."""

    location: str | None = None
    kind: str | None = None
    sku: SentSku | None = None
    tags: dict[str, str] | None = None
    identity: dict[str, Any] | None = None
    properties: dict[str, Any] | None = None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""what decoding raises for what is no JSON, or nested beyond reason"""
CAPACITY = re.compile(r"\d{1,9}", re.ASCII)
SETTABLE = ("location", "kind", "sku", "tags", "identity")
"""what stands beside `properties`"""


def read_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises ArmError."""
    if not body.strip():
        raise content_invalid(
            "The request content was invalid: the body is empty. Send a JSON object."
        )
    return as_object(read_json(body))


def read_json(body: bytes, read: Callable[[bytes], Any] = msgspec.json.decode) -> Any:  # noqa: ANN401 - what `read` gives
    """The body as `read` understands it. Raises ArmError."""
    try:
        return read(body)
    except UNREADABLE as problem:
        raise content_invalid(
            f"The request content was invalid and could not be deserialized: '{problem}'."
        ) from None


def as_object(sent: object) -> dict[str, Any]:
    """What was sent, as the JSON object that it must be. Raises ArmError."""
    if not isinstance(sent, dict):
        raise content_invalid("The request content was invalid: the body must be a JSON object.")
    return cast("dict[str, Any]", sent)


def read_resource(request: ArmRequest, row: ResourceType) -> dict[str, Any]:
    """What was sent of a resource: the settable parts, without what only the server sets.

    Raises ArmError that tells every wrong type at once.
    """
    sent = spelled(read_object(request.body), SentResource)
    _read_capacity(sent.get("sku"))
    problems = shape_problems(sent, SentResource, target="")
    if problems:
        raise refusal(problems)
    properties = cast("dict[str, Any]", sent.get("properties") or {})
    if row.sent_properties is not None:
        properties = spelled(properties, row.sent_properties)
    properties = row.read(properties, request.api_version)
    if row.sent_properties is not None and (
        problems := shape_problems(properties, row.sent_properties)
    ):
        raise refusal(problems)
    read: dict[str, Any] = {key: sent[key] for key in SETTABLE if key in sent}
    kept_back = {name.lower() for name in row.read_only | row.hidden}
    read["properties"] = {k: v for k, v in properties.items() if k.lower() not in kept_back}
    return read


def _read_capacity(sku: object) -> None:
    """A capacity in quotes is a number: so az sends it, and Azure reads it."""
    if not isinstance(sku, dict):
        return
    said = cast("dict[str, Any]", sku)
    capacity = said.get("capacity")
    if isinstance(capacity, str) and CAPACITY.fullmatch(capacity):
        said["capacity"] = int(capacity)


def shown(resource: Resource, row: ResourceType, showing: Showing) -> dict[str, Any]:
    """The resource as clients read it."""
    properties = {
        key: value
        for key, value in row.show(resource, showing).items()
        if key not in row.hidden | row.write_only
    }
    view = top_of(resource) | {
        "tags": resource.tags if resource.tags or not row.tracked else {},
        "properties": properties,
        "identity": shown_identity(resource, showing),
    }
    if not row.plain:
        view["systemData"] = resource.system_data or None
        view[row.etag_word] = quoted(resource.etag)
    return {key: value for key, value in view.items() if value is not None}


def top_of(resource: Resource) -> dict[str, Any]:
    """What every view of a resource begins with; None for what it has not."""
    return {
        "id": resource.id,
        "name": resource.name,
        "type": resource.type,
        "location": resource.location,
        "kind": resource.kind,
        "sku": resource.sku,
        "identity": resource.identity,
    }


def quoted(etag: str) -> str:
    """An etag as HTTP writes it."""
    return f'"{etag}"'
