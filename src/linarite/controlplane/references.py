"""References of a resource to others: how they are sent, and what is said of one to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource


class Reference(msgspec.Struct):
    """Another resource."""

    id: str | None = None


def not_found(new: Resource, reference: str, target: str) -> Problem:
    """What networks' resources say of an id behind which there is nothing."""
    return Problem(
        "InvalidResourceReference",
        f"Resource {reference[:500]} referenced by resource {new.id} was not found. Please make "
        "sure that the referenced resource exists, and that both resources are in the same region.",
        target,
    )
