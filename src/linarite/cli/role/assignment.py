"""`linarite role assignment create | list | delete`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.role.naming import (
    AUTHORIZATION_VERSION,
    ScopeFlags,
    Somebody,
    role_named,
    scope_of,
    somebody,
)
from linarite.domain.errors import SetupError
from linarite.domain.roles import ROLE_ASSIGNMENT_TYPE, ROLE_DEFINITION_TYPE, role_guid

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


class PrincipalType(StrEnum):
    """What somebody is."""

    USER = "User"
    GROUP = "Group"
    SERVICE_PRINCIPAL = "ServicePrincipal"


@dataclass(frozen=True, kw_only=True)
class CreateFlags(ScopeFlags):
    """Who, which role, where."""

    role: Annotated[
        str, typer.Option("--role", help="Name or GUID of the role.", show_default=False)
    ]
    assignee: Annotated[
        str | None,
        typer.Option(help="User name, application or group of the server's directory."),
    ] = None
    assignee_object_id: Annotated[
        str | None, typer.Option(help="Object id, also of somebody of another issuer.")
    ] = None
    assignee_principal_type: Annotated[
        PrincipalType | None,
        typer.Option(help="What the object id is, where the directory does not know it."),
    ] = None
    condition: Annotated[str | None, typer.Option(help="When it counts; version 2.0.")] = None
    description: Annotated[str | None, typer.Option(help="Why it is given.")] = None


@dataclass(frozen=True, kw_only=True)
class ListFlags(ScopeFlags):
    """Which assignments."""

    assignee: Annotated[str | None, typer.Option(help="Only those of somebody.")] = None
    role: Annotated[str | None, typer.Option("--role", help="Only those of a role.")] = None
    everywhere: Annotated[bool, typer.Option("--all", help="Wherever in the subscription.")] = False
    include_inherited: Annotated[
        bool, typer.Option("--include-inherited", help="Those of the scopes around it too.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class DeleteFlags(ScopeFlags):
    """Which assignments."""

    ids: Annotated[
        list[str] | None, typer.Option("--ids", help="Their ARM ids; several times.")
    ] = None
    assignee: Annotated[str | None, typer.Option(help="Whose.")] = None
    role: Annotated[str | None, typer.Option("--role", help="Of which role.")] = None


async def create(server: Server, asked: CreateFlags, shown: OutputFlags) -> None:
    """Give somebody a role; it counts from the moment of the answer."""
    who = await _assignee(server, asked)
    role = await role_named(server, asked.role)
    scope = await scope_of(server, asked.scope, asked.resource_group)
    properties: dict[str, Any] = {
        "roleDefinitionId": role["id"],
        "principalId": who.object_id,
        "principalType": who.kind or None,
        "description": asked.description,
    }
    if asked.condition:
        properties |= {"condition": asked.condition, "conditionVersion": "2.0"}
    path = f"{scope}/providers/{ROLE_ASSIGNMENT_TYPE}/{uuid4()}"
    body = {"properties": {key: value for key, value in properties.items() if value is not None}}
    reply = await server.send("PUT", path, version=AUTHORIZATION_VERSION, body=body)
    print_one(reply.body, await _row(server), shown.output)


async def list_assignments(server: Server, asked: ListFlags, shown: OutputFlags) -> None:
    """List who has which role at a scope."""
    found = await _found(server, asked, everywhere=asked.everywhere)
    if not asked.everywhere and not asked.include_inherited:
        scope = await scope_of(server, asked.scope, asked.resource_group) or "/"
        found = [each for each in found if each["properties"]["scope"].lower() == scope.lower()]
    print_many(found, await _row(server), shown.output, none="No role assignments there.")


async def delete(server: Server, asked: DeleteFlags) -> None:
    """Take roles away; requests are refused from the moment of the answer."""
    if not asked.ids and not (asked.assignee or asked.role):
        raise SetupError("Which assignments? Give --assignee, --role or both, or --ids.")
    ids = asked.ids
    if not ids:
        scope = (await scope_of(server, asked.scope, asked.resource_group) or "/").lower()
        found = await _found(server, asked, everywhere=False)
        ids = [each["id"] for each in found if each["properties"]["scope"].lower() == scope]
    if not ids:
        raise ServerRefused("There is no such role assignment at that scope.", status=NOT_FOUND)
    for each in ids:
        await server.send("DELETE", each, version=AUTHORIZATION_VERSION)
    say(f"Deleted {len(ids)}.")


async def _assignee(server: Server, asked: CreateFlags) -> Somebody:
    if bool(asked.assignee) == bool(asked.assignee_object_id):
        raise SetupError("To whom? Give --assignee, or --assignee-object-id.")
    if asked.assignee:
        return await somebody(server, asked.assignee)
    kind = asked.assignee_principal_type
    return Somebody(str(asked.assignee_object_id), kind.value if kind else "", "")


async def _found(
    server: Server, asked: ListFlags | DeleteFlags, *, everywhere: bool
) -> list[dict[str, Any]]:
    scope = (
        await subscription_path(server)
        if everywhere
        else await scope_of(server, asked.scope, asked.resource_group)
    )
    terms: list[str] = [] if everywhere else ["atScope()"]
    if asked.assignee:
        who = await somebody(server, asked.assignee)
        terms.append(f"principalId eq '{who.object_id}'")
    query = {"$filter": " and ".join(terms)} if terms else {}
    found = await server.every(
        f"{scope}/providers/{ROLE_ASSIGNMENT_TYPE}", version=AUTHORIZATION_VERSION, **query
    )
    if not asked.role:
        return found
    role = (await role_named(server, asked.role))["name"]
    return [
        each for each in found if role_guid(each["properties"]["roleDefinitionId"]) == role.lower()
    ]


async def _row(server: Server) -> Any:  # noqa: ANN401 - a row of `print_many`
    """How an assignment is shown, with the role's name instead of its GUID."""
    subscription = await subscription_path(server)
    roles = await server.every(
        f"{subscription}/providers/{ROLE_DEFINITION_TYPE}",
        version=AUTHORIZATION_VERSION,
        **{"$filter": "atScopeAndBelow()"},
    )
    names = {each["name"].lower(): each["properties"]["roleName"] for each in roles}

    def row(assignment: dict[str, Any]) -> dict[str, object]:
        properties = assignment["properties"]
        guid = role_guid(properties["roleDefinitionId"])
        return {
            "role": names.get(guid, guid),
            "principal": properties["principalId"],
            "type": properties["principalType"],
            "scope": properties["scope"],
            "condition": "yes" if properties.get("condition") else "",
        }

    return row
