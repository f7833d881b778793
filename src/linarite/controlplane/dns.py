"""What the resource types of private DNS share."""

from __future__ import annotations

from linarite.domain.arm_errors import Problem

EVERYWHERE = "global"


def global_problems(location: str | None, kind: str) -> list[Problem]:
    """Private zones and their links lie in no region: their location is `global`."""
    if (location or "").lower() == EVERYWHERE:
        return []
    if not location:
        said = "The location property is required for this definition."
        return [Problem("LocationRequired", said, "location")]
    return [
        Problem(
            "LocationNotAvailableForResourceType",
            f"The provided location '{location[:100]}' is not available for resource type "
            f"'{kind}'. List of available regions for the resource type is '{EVERYWHERE}'.",
            "location",
        )
    ]
