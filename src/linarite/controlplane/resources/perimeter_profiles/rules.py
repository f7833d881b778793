"""What a profile of a perimeter may be: a name for access rules.

Source: the specification of Microsoft.Network, 2024-07-01.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.domain.arm_errors import Problem
from linarite.domain.arm_id import parent_id, same_id
from linarite.domain.perimeter import ASSOCIATION_TYPE, reference

if TYPE_CHECKING:
    from linarite.controlplane.surface import Surface
    from linarite.domain.resource import Resource

READ_ONLY = frozenset(("accessRulesVersion", "diagnosticSettingsVersion"))


def complete(new: Resource, old: Resource | None, facts: None) -> Resource:
    """The versions, which count changes of its rules."""
    del facts
    versions = {"accessRulesVersion": "0", "diagnosticSettingsVersion": "0"}
    if old is not None:
        versions |= {name: str(old.properties.get(name) or "0") for name in versions}
    return msgspec.structs.replace(new, properties=versions)


async def keep(surface: Surface, profile: Resource) -> list[Problem]:
    """One that a resource is associated with stays."""
    inside = await surface.resources.list_under(parent_id(profile.id), ASSOCIATION_TYPE)
    return [
        Problem(
            "NspProfileHasAssociations",
            f"The profile '{profile.name}' is that of the resource association '{each.name}'. "
            "Delete the association, or give it another profile, first.",
            status=409,
        )
        for each in inside
        if same_id(reference(each, "profile"), profile.id)
    ]
