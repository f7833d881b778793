"""What a write makes of a resource, the same for every adapter."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import InvalidRequest
from linarite.domain.resource import Committed, Delete, EtagMismatch, Put, Resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.domain.jobs import Job
    from linarite.domain.resource import Change


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
    require_etag(resource.id, present, expected_etag)
    new = msgspec.structs.replace(resource, etag=secrets.token_hex(16))
    if present is None:
        return new
    same_name = present.name.lower() == resource.name.lower()
    return msgspec.structs.replace(
        new, id=present.id, name=present.name if same_name else resource.name
    )


def require_etag(resource_id: str, present: Resource | None, expected_etag: str | None) -> None:
    """Raise EtagMismatch when there is something else than expected; None expects anything."""
    if expected_etag is not None and expected_etag != (present.etag if present else ""):
        raise EtagMismatch(
            f"{resource_id} exists already."
            if expected_etag == ""
            else f"{resource_id} has changed since it was read, or is gone. Read it again."
        )


def committed(
    changes: Sequence[Change], outcome: Sequence[Resource | None], jobs: Sequence[Job]
) -> Committed:
    """What a transaction did, for listeners; removing nothing is no change."""
    done = [change for change, made in zip(changes, outcome, strict=True) if made is not None]
    return Committed(
        written=tuple(change.resource.id for change in done if isinstance(change, Put)),
        removed=tuple(change.resource_id for change in done if isinstance(change, Delete)),
        jobs=tuple(jobs),
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
