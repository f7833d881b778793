"""What a resource group may be. A pure module: facts come in, problems go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from linarite.controlplane.problems import location_problems, moved_problems
from linarite.controlplane.surface import Realm
from linarite.domain.arm_id import RESOURCE_GROUP_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.surface import Showing
    from linarite.domain.arm_errors import Problem
    from linarite.domain.resource import Resource

NAME = r"[\w.()-]{0,89}[\w()-]"
"""letters, digits, `_ . ( ) -`, at most 90, no full stop at the end"""


class GroupFacts(msgspec.Struct, frozen=True):
    """What is known when a resource group is admitted."""

    realm: Realm


def admit(new: Resource, old: Resource | None, facts: GroupFacts) -> list[Problem]:
    """A group needs a location of this server and stays in it."""
    if old is not None:
        return moved_problems(old.location, new.location, new.name)
    return location_problems(new.location, facts.realm, RESOURCE_GROUP_TYPE)


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """A group is there or not."""
    del resource, showing
    return {"provisioningState": "Succeeded"}
