"""What settings declare is the settings' to change: how such resources are told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from linarite.domain.resource import Resource

DECLARED_BY = "linarite.toml"
"""who made it, in the systemData of a declared resource"""


def is_declared(resource: Resource | None) -> bool:
    """Whether settings declare the resource."""
    return resource is not None and resource.system_data.get("createdBy") == DECLARED_BY


def settled_by_settings(resource: Resource, setting: str, target: str = "") -> Problem:
    """The refusal of a change that the next start of the server would undo."""
    return Problem(
        "DeclaredBySettings",
        f"'{resource.name}' is declared by the server's settings, where {setting} decides this. "
        "Change it there and start the server again, or use a resource of another name.",
        target,
        409,
    )
