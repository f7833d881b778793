"""What a deny assignment may be. Source: "Understand Azure deny assignments"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.controlplane.access_shapes import (
    condition_problems,
    is_guid,
    permission_problems,
    shown_scope,
)
from linarite.domain.arm_errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.controlplane.surface import Showing
    from linarite.domain.resource import Resource

READ_ONLY = frozenset(
    ("scope", "isSystemProtected", "createdOn", "updatedOn", "createdBy", "updatedBy")
)


class SentPrincipal(msgspec.Struct, rename="camel"):
    """Whom it concerns, or whom it spares."""

    id: str
    type: str | None = None


class SentDenial(msgspec.Struct, rename="camel"):
    """What it takes away."""

    actions: list[str] | None = None
    not_actions: list[str] | None = None
    data_actions: list[str] | None = None
    not_data_actions: list[str] | None = None
    condition: str | None = None
    condition_version: str | None = None


class SentDenyAssignment(msgspec.Struct, rename="camel"):
    """What a client may say of a deny assignment."""

    deny_assignment_name: str | None = None
    description: str | None = None
    permissions: list[SentDenial] | None = None
    principals: list[SentPrincipal] | None = None
    exclude_principals: list[SentPrincipal] | None = None
    do_not_apply_to_child_scopes: bool | None = None
    condition: str | None = None
    condition_version: str | None = None


def admit(new: Resource, old: Resource | None, facts: object) -> list[Problem]:
    """Everything that is wrong with it."""
    del old, facts
    properties = new.properties
    problems = [*permission_problems(properties.get("permissions"), "properties.permissions")]
    problems += condition_problems(properties, "properties.condition")
    problems += _people_problems(properties)
    if not properties.get("denyAssignmentName"):
        problems.append(
            Problem(
                "InvalidDenyAssignmentName",
                "A deny assignment needs a denyAssignmentName.",
                "properties.denyAssignmentName",
            )
        )
    return problems


def show(resource: Resource, showing: Showing) -> dict[str, Any]:
    """With its scope."""
    del showing
    system = resource.system_data
    defaults: dict[str, Any] = {"excludePrincipals": [], "doNotApplyToChildScopes": False}
    return {
        **defaults,
        **resource.properties,
        "scope": shown_scope(resource),
        "isSystemProtected": False,
        "createdOn": system.get("createdAt"),
        "updatedOn": system.get("lastModifiedAt"),
        "createdBy": system.get("createdBy"),
        "updatedBy": system.get("lastModifiedBy"),
    }


def _people_problems(properties: dict[str, Any]) -> Iterator[Problem]:
    if not properties.get("principals"):
        yield Problem(
            "InvalidPrincipals",
            "A deny assignment needs principals; "
            "{'id': '00000000-0000-0000-0000-000000000000', 'type': 'SystemDefined'} means "
            "everybody.",
            "properties.principals",
        )
    for name in ("principals", "excludePrincipals"):
        for each in cast("list[dict[str, Any]]", properties.get(name) or []):
            if not is_guid(each["id"]):
                yield Problem(
                    "InvalidPrincipalId",
                    f"'{each['id'][:100]}' is no object id.",
                    f"properties.{name}",
                )
