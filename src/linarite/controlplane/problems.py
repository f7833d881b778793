"""Checks that several resource types share; each returns what is wrong, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import location_key

if TYPE_CHECKING:
    from linarite.controlplane.surface import Realm


def shape_problems(
    value: dict[str, Any], shape: type[msgspec.Struct], target: str = "properties"
) -> list[Problem]:
    """What the known properties have of the wrong type, one problem each.

    Unknown ones pass: the Resource Manager's clients send what newer versions know.
    """
    hints = get_type_hints(shape, include_extras=True)
    found: list[Problem] = []
    for field in msgspec.structs.fields(shape):
        sent = value.get(field.encode_name)
        if sent is None:
            continue
        try:
            msgspec.convert(sent, hints[field.name])
        except msgspec.ValidationError as problem:
            text, _, where = str(problem).partition(" - at `$")
            place = f"{target}.{field.encode_name}{where.rstrip('`')}"
            found.append(
                Problem("InvalidRequestContent", f"The value of '{place}' is wrong: {text}.", place)
            )
    return found


def missing_problems(value: dict[str, Any], *names: str) -> list[Problem]:
    """Which properties that a resource must have it has not."""
    return [
        Problem(
            "InvalidRequestContent",
            f"The required property 'properties.{name}' is missing.",
            f"properties.{name}",
        )
        for name in names
        if value.get(name) in (None, "", [], {})
    ]


def location_problems(location: str | None, realm: Realm, kind: str) -> list[Problem]:
    """A location that is missing, or that this server does not have."""
    if not location:
        return [
            Problem(
                "LocationRequired",
                "The location property is required for this definition.",
                "location",
            )
        ]
    if realm.has(location_key(location)):
        return []
    available = ",".join(realm.locations)
    return [
        Problem(
            "LocationNotAvailableForResourceType",
            f"The provided location '{location[:100]}' is not available for resource type "
            f"'{kind}'. List of available regions for the resource type is '{available}'.",
            "location",
        )
    ]


def moved_problems(old_location: str | None, new_location: str | None, name: str) -> list[Problem]:
    """A resource stays where it was made."""
    if old_location is None or new_location is None:
        return []
    if location_key(old_location) == location_key(new_location):
        return []
    return [
        Problem(
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{old_location}'. A resource with "
            f"the same name cannot be created in location '{new_location[:100]}'. Please select a "
            "new resource name.",
            "location",
            409,
        )
    ]
