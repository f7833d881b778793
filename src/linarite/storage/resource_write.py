"""What a write makes of a resource, the same for every adapter."""

from __future__ import annotations

import secrets

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.resource import EtagMismatch, Resource


def written(resource: Resource, present: Resource | None, expected_etag: str | None) -> Resource:
    """The resource as it will be stored over `present`, with a fresh etag.

    The id and name keep the case in which they were first written. Raises EtagMismatch when
    `expected_etag` says otherwise than what is there (see `ResourceStore.put`).
    """
    if not resource.id.startswith("/") or not resource.id.strip("/"):
        raise InvalidRequest(
            f"A resource id begins with '/', such as /subscriptions/…; this one is "
            f"'{resource.id[:100]}'.",
            param="id",
        )
    if expected_etag is not None and expected_etag != (present.etag if present else ""):
        raise EtagMismatch(
            f"{resource.id} exists already."
            if expected_etag == ""
            else f"{resource.id} has changed since it was read, or is gone. Read it again."
        )
    new = msgspec.structs.replace(resource, etag=secrets.token_hex(16))
    if present is None:
        return new
    same_name = present.name.lower() == resource.name.lower()
    return msgspec.structs.replace(
        new, id=present.id, name=present.name if same_name else resource.name
    )


def encoded(resource: Resource) -> str:
    """The JSON text that is stored. Raises InvalidRequest when `properties` cannot be JSON."""
    try:
        return msgspec.json.encode(resource).decode()
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"The properties of {resource.id} cannot be stored as JSON: {error}.",
            param="properties",
        ) from error
