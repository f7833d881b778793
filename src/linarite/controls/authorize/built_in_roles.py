"""Azure's built-in roles, read from `built_in_roles.toml`, shaped as Azure lists them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from linarite.domain.resource import Resource
from linarite.domain.roles import ROLE_DEFINITION_TYPE


class BuiltInRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One role of the file."""

    name: str
    id: str
    description: str
    actions: list[str] = []
    not_actions: list[str] = []
    data_actions: list[str] = []
    not_data_actions: list[str] = []
    may_assign: list[str] = []
    """the roles that it may assign and take away, where `actions` let it do so at all"""

    def permission(self) -> dict[str, Any]:
        """What it grants, as role definitions say it."""
        granted: dict[str, Any] = {
            "actions": self.actions,
            "notActions": self.not_actions,
            "dataActions": self.data_actions,
            "notDataActions": self.not_data_actions,
        }
        if self.may_assign:
            granted |= {"condition": assigning_only(self.may_assign), "conditionVersion": "2.0"}
        return granted

    def definition(self) -> Resource:
        """The role definition. It has no etag: it is not stored."""
        return Resource(
            id=f"/providers/{ROLE_DEFINITION_TYPE}/{self.id}",
            type=ROLE_DEFINITION_TYPE,
            name=self.id,
            properties={
                "roleName": self.name,
                "type": "BuiltInRole",
                "description": self.description,
                "assignableScopes": ["/"],
                "permissions": [self.permission()],
            },
        )


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    roles: list[BuiltInRole]


@cache
def built_in_roles() -> tuple[BuiltInRole, ...]:
    """All of them, in the order of the file."""
    text = files(__package__ or "").joinpath("built_in_roles.toml").read_bytes()
    return tuple(msgspec.toml.decode(text, type=_File).roles)


def assigning_only(roles: list[str]) -> str:
    """The condition under which nothing but these roles is assigned or taken away."""
    listed = ", ".join(roles)
    word = "Microsoft.Authorization/roleAssignments"
    return " AND ".join(
        f"((!(ActionMatches{{'{word}/{verb}'}})) OR "
        f"({source}[{word}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals{{{listed}}}))"
        for verb, source in (("write", "@Request"), ("delete", "@Resource"))
    )
