"""`linarite role definition list | show`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many, print_one
from linarite.cli.role.naming import AUTHORIZATION_VERSION, role_named
from linarite.domain.roles import ROLE_DEFINITION_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server


@dataclass(frozen=True, kw_only=True)
class DefinitionFlags:
    """Which roles."""

    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Only the role of that name.")
    ] = None
    custom_role_only: Annotated[
        bool, typer.Option("--custom-role-only", help="Leave out those that are built in.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class ShowFlags:
    """Which role."""

    role: Annotated[str, typer.Argument(help="Its name or GUID.", show_default=False)]


async def list_definitions(server: Server, asked: DefinitionFlags, shown: OutputFlags) -> None:
    """List the roles that can be assigned."""
    terms = ["atScopeAndBelow()"]
    if asked.name:
        terms.append(f"roleName eq '{asked.name.replace(chr(39), chr(39) * 2)}'")
    if asked.custom_role_only:
        terms.append("type eq 'CustomRole'")
    found = await server.every(
        f"{await subscription_path(server)}/providers/{ROLE_DEFINITION_TYPE}",
        version=AUTHORIZATION_VERSION,
        **{"$filter": " and ".join(terms)},
    )
    print_many(
        sorted(found, key=lambda each: str(each["properties"]["roleName"])),
        definition_row,
        shown.output,
        none="No such roles.",
    )


async def show(server: Server, asked: ShowFlags, shown: OutputFlags) -> None:
    """Show what a role grants."""
    print_one(await role_named(server, asked.role), definition_facts, shown.output)


def definition_row(role: dict[str, Any]) -> dict[str, object]:
    """A role's line in a table."""
    properties = role["properties"]
    return {
        "role": properties["roleName"],
        "guid": role["name"],
        "type": properties["type"],
        "description": properties.get("description"),
    }


def definition_facts(role: dict[str, Any]) -> dict[str, object]:
    """A role on a page of its own."""
    facts = definition_row(role)
    facts["assignable at"] = "\n".join(role["properties"]["assignableScopes"])
    for permission in role["properties"]["permissions"]:
        for name in ("actions", "notActions", "dataActions", "notDataActions"):
            facts[name] = "\n".join(permission[name])
        facts["condition"] = permission.get("condition")
    return facts
