"""`linarite policy assignment …`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.policy.places import ASSIGNMENTS, DEFINITIONS, POLICY_VERSION, SETS, found
from linarite.cli.template.file import parameters_of
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.policy.places import NameFlags, ScopeFlags

NO_CONTENT = 204


class Mode(StrEnum):
    """Whether what it finds is refused."""

    DEFAULT = "Default"
    DO_NOT_ENFORCE = "DoNotEnforce"


@dataclass(frozen=True, kw_only=True)
class Create:
    """What is assigned, and how."""

    policy: Annotated[
        str | None, typer.Option("--policy", help="Name or id of the definition.")
    ] = None
    policy_set: Annotated[
        str | None,
        typer.Option("--policy-set-definition", "-d", help="Name or id of the initiative."),
    ] = None
    params: Annotated[
        list[str] | None,
        typer.Option(
            "--params",
            "-p",
            help="NAME=VALUE, where a value may be JSON, or a file; several times.",
        ),
    ] = None
    display_name: Annotated[str | None, typer.Option(help="What people call it.")] = None
    message: Annotated[
        str | None, typer.Option(help="Why a request is refused, for whoever made it.")
    ] = None
    not_scopes: Annotated[
        list[str] | None, typer.Option("--not-scopes", help="Left out; several times.")
    ] = None
    enforcement_mode: Annotated[
        Mode, typer.Option("--enforcement-mode", "-e", help="DoNotEnforce only tells.")
    ] = Mode.DEFAULT

    async def body(self, server: Server) -> dict[str, Any]:
        """The body that asks for it. Raises SetupError."""
        if bool(self.policy) == bool(self.policy_set):
            raise SetupError("Name what to assign: --policy or --policy-set-definition.")
        kind = DEFINITIONS if self.policy else SETS
        definition = await found(server, self.policy or self.policy_set or "", kind)
        declared = part(definition, "properties", "parameters")
        types = {
            name.lower(): str(part(declared, name).get("type", "")).lower() for name in declared
        }
        values: dict[str, Any] = {}
        for typed in self.params or []:
            values |= parameters_of(typed, types)
        properties: dict[str, Any] = {
            "policyDefinitionId": definition["id"],
            "displayName": self.display_name,
            "enforcementMode": str(self.enforcement_mode),
            "parameters": values,
            "notScopes": self.not_scopes,
            "nonComplianceMessages": [{"message": self.message}] if self.message else None,
        }
        return {"properties": {key: value for key, value in properties.items() if value}}


async def list_assignments(server: Server, at: ScopeFlags, shown: OutputFlags) -> None:
    """List what is assigned at a scope, around it and below it."""
    path = f"{await at.path(server)}/{ASSIGNMENTS}"
    print_many(
        await server.every(path, version=POLICY_VERSION),
        row,
        shown.output,
        none="Nothing is assigned. See what can be: linarite policy definition list",
    )


async def show(server: Server, named: NameFlags, at: ScopeFlags, shown: OutputFlags) -> None:
    """Show an assignment."""
    path = f"{await at.path(server)}/{ASSIGNMENTS}/{named.name}"
    reply = await server.send("GET", path, version=POLICY_VERSION)
    print_one(reply.body, facts, shown.output)


async def create(
    server: Server, named: NameFlags, asked: Create, at: ScopeFlags, shown: OutputFlags
) -> None:
    """Assign a definition or an initiative; from then on it counts at the scope and below."""
    path = f"{await at.path(server)}/{ASSIGNMENTS}/{named.name}"
    body = await asked.body(server)
    reply = await server.send("PUT", path, version=POLICY_VERSION, body=body)
    print_one(reply.body, facts, shown.output)


async def delete(server: Server, named: NameFlags, at: ScopeFlags) -> None:
    """Delete an assignment."""
    path = f"{await at.path(server)}/{ASSIGNMENTS}/{named.name}"
    reply = await server.send("DELETE", path, version=POLICY_VERSION)
    gone = reply.status == NO_CONTENT
    say(f"There was no assignment {named.name}." if gone else f"{named.name} is deleted.")


def row(assignment: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    properties = part(assignment, "properties")
    return {
        "name": assignment["name"],
        "policy": str(properties.get("policyDefinitionId") or "").rpartition("/")[2],
        "enforcement": properties.get("enforcementMode") or "",
        "scope": properties.get("scope") or "",
    }


def facts(assignment: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    properties = part(assignment, "properties")
    values = part(properties, "parameters")
    given = {f"parameter {name}": str(part(values, name).get("value")) for name in values}
    return row(assignment) | {"title": properties.get("displayName")} | given
