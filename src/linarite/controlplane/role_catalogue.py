"""Role definitions, built in and made: wherever they are asked for, they lie in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.controlplane.request import Target
from linarite.controls.authorize.built_in_roles import built_in_roles
from linarite.domain.roles import ROLE_DEFINITION_TYPE

if TYPE_CHECKING:
    from linarite.controlplane.surface import Realm, Surface
    from linarite.domain.resource import Resource


def role_path(realm: Realm) -> str:
    """What stands before the GUID in every role definition's id."""
    return f"/subscriptions/{realm.subscription}/providers/{ROLE_DEFINITION_TYPE}/"


def place_of_role(target: Target, realm: Realm) -> Target:
    """A role is of the whole tenant: it is found at every scope, and kept at the subscription."""
    role = target["role"].lower()
    return Target(f"{role_path(realm)}{role}", {**target.names, "role": role})


def built_in_at(parent: str) -> tuple[Resource, ...]:
    """The built-in role definitions, under a scope."""
    return tuple(
        msgspec.structs.replace(each, id=f"{parent}{each.id}")
        for each in (role.definition() for role in built_in_roles())
    )


async def all_roles(surface: Surface) -> dict[str, Resource]:
    """Every role definition by its GUID."""
    subscription = f"/subscriptions/{surface.realm.subscription}"
    made = await surface.resources.list_under(subscription, ROLE_DEFINITION_TYPE)
    return {each.name.lower(): each for each in (*built_in_at(subscription), *made)}
