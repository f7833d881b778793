"""From what a person names to scopes, roles and object ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import account_id, group_path, subscription_path
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.identity.graph import listed
from linarite.domain.errors import SetupError
from linarite.domain.roles import ROLE_DEFINITION_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

AUTHORIZATION_VERSION = "2022-04-01"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
KINDS = {"users": "User", "groups": "Group", "servicePrincipals": "ServicePrincipal"}
NAMES = {
    "users": ("id", "userPrincipalName", "displayName"),
    "groups": ("id", "displayName"),
    "servicePrincipals": ("id", "appId", "displayName"),
}


@dataclass(frozen=True, kw_only=True)
class ScopeFlags:
    """Where."""

    scope: Annotated[
        str | None,
        typer.Option(
            help="ARM id of where the role counts: a subscription, a group, a resource.",
            show_default="the account that settings declare",
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="At a resource group, by its name."),
    ] = None


class Somebody:
    """Whom a role is given to."""

    def __init__(self, object_id: str, kind: str, name: str) -> None:
        self.object_id = object_id
        self.kind = kind
        """User, Group or ServicePrincipal; "" where this server does not know"""
        self.name = name


async def scope_of(server: Server, scope: str | None, group: str | None) -> str:
    """The scope that was typed, else the group's, else the declared account's."""
    if scope and group:
        raise SetupError("Give --scope or -g, not both.")
    if scope is not None:
        return "" if scope == "/" else scope.rstrip("/")
    if group is not None:
        return await group_path(server, group)
    return await account_id(server, None, None)


async def role_named(server: Server, named: str) -> dict[str, Any]:
    """The role definition of that name or GUID. Raises ServerRefused."""
    wanted = named.rpartition("/")[2] if "roleDefinitions/" in named else named
    subscription = await subscription_path(server)
    roles = f"{subscription}/providers/{ROLE_DEFINITION_TYPE}"
    if GUID.fullmatch(wanted):
        reply = await server.send("GET", f"{roles}/{wanted}", version=AUTHORIZATION_VERSION)
        return dict(reply.body)
    value = wanted.replace("'", "''")
    terms = {"$filter": f"atScopeAndBelow() and roleName eq '{value}'"}
    found = await server.every(roles, version=AUTHORIZATION_VERSION, **terms)
    if not found:
        raise ServerRefused(
            f"There is no role '{named}'. See: linarite role definition list", status=NOT_FOUND
        )
    return found[0]


async def somebody(server: Server, named: str) -> Somebody:
    """Whom the directory knows by a name, a client id or an object id; else that object id."""
    value = named.replace("'", "''")
    found: list[Somebody] = []
    for collection, keys in NAMES.items():
        terms = " or ".join(f"{key} eq '{value}'" for key in keys)
        found += [
            Somebody(each["id"], KINDS[collection], each["displayName"])
            for each in await listed(server, collection, **{"$filter": terms})
        ]
    if len(found) > 1:
        known = ", ".join(f"{each.kind} {each.object_id}" for each in found)
        raise SetupError(f"Who? Several are called '{named}': {known}. Give the object id.")
    if found:
        return found[0]
    if GUID.fullmatch(named):
        return Somebody(named, "", named)
    raise ServerRefused(
        f"The directory knows nobody called '{named}'. For somebody of another issuer, give "
        "--assignee-object-id and --assignee-principal-type.",
        status=NOT_FOUND,
    )
