"""`linarite policy definition …`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.naming import subscription_path
from linarite.cli.arm.printed import print_many, print_one, say
from linarite.cli.policy.places import DEFINITIONS, POLICY_VERSION, found, json_of

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.policy.places import NameFlags

NO_CONTENT = 204


class PolicyType(StrEnum):
    """Who made a definition."""

    BUILT_IN = "BuiltIn"
    CUSTOM = "Custom"


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which definitions."""

    policy_type: Annotated[
        PolicyType | None, typer.Option("--type", help="Only built-in ones, or only own ones.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Create:
    """What the definition shall be."""

    rules: Annotated[
        str,
        typer.Option(
            "--rules", help="The rule (if, then) as JSON, or its file.", show_default=False
        ),
    ]
    params: Annotated[
        str | None, typer.Option("--params", help="Its parameters as JSON, or their file.")
    ] = None
    mode: Annotated[
        str, typer.Option("--mode", "-m", help="All, or Indexed: what has location and tags.")
    ] = "Indexed"
    display_name: Annotated[str | None, typer.Option(help="What people call it.")] = None
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None

    @property
    def body(self) -> dict[str, Any]:
        """The body that asks for it. Raises SetupError."""
        properties: dict[str, Any] = {
            "mode": self.mode,
            "policyRule": json_of(self.rules, "rules"),
            "displayName": self.display_name,
            "description": self.description,
        }
        if self.params:
            properties["parameters"] = json_of(self.params, "parameters")
        return {"properties": {key: value for key, value in properties.items() if value}}


async def list_definitions(server: Server, which: Which, shown: OutputFlags) -> None:
    """List the definitions that can be assigned: built-in ones and the subscription's own."""
    query = {"$filter": f"policyType eq '{which.policy_type}'"} if which.policy_type else {}
    path = f"{await subscription_path(server)}/{DEFINITIONS}"
    print_many(await server.every(path, version=POLICY_VERSION, **query), row, shown.output)


async def show(server: Server, named: NameFlags, shown: OutputFlags) -> None:
    """Show a definition with its rule."""
    print_one(await found(server, named.name, DEFINITIONS), facts, shown.output)


async def create(server: Server, named: NameFlags, asked: Create, shown: OutputFlags) -> None:
    """Make a definition in the subscription; one of that name is replaced."""
    path = f"{await subscription_path(server)}/{DEFINITIONS}/{named.name}"
    reply = await server.send("PUT", path, version=POLICY_VERSION, body=asked.body)
    print_one(reply.body, facts, shown.output)


async def delete(server: Server, named: NameFlags) -> None:
    """Delete a definition that is not assigned."""
    path = f"{await subscription_path(server)}/{DEFINITIONS}/{named.name}"
    reply = await server.send("DELETE", path, version=POLICY_VERSION)
    gone = reply.status == NO_CONTENT
    say(f"There was no definition {named.name}." if gone else f"{named.name} is deleted.")


def row(definition: dict[str, Any]) -> dict[str, object]:
    """Its line in a list."""
    properties = part(definition, "properties")
    return {
        "name": definition["name"],
        "title": properties.get("displayName") or "",
        "type": properties.get("policyType") or "",
        "effect": effect_of(properties),
    }


def effect_of(properties: dict[str, Any]) -> str:
    """What it does: the effects that a parameter lets choose, the default first."""
    effect = str(part(properties, "policyRule", "then").get("effect") or "")
    if not effect.startswith("["):
        return effect
    parameter = part(properties, "parameters", "effect")
    default = str(parameter.get("defaultValue") or "")
    allowed: list[object] = parameter.get("allowedValues") or []
    others = [str(each) for each in allowed]
    return ", ".join(dict.fromkeys([default, *others] if default else others)) or effect


def facts(definition: dict[str, Any]) -> dict[str, object]:
    """What is worth knowing about it."""
    properties = part(definition, "properties")
    return row(definition) | {
        "description": properties.get("description"),
        "mode": properties.get("mode"),
        "parameters": ", ".join(part(properties, "parameters")),
        "id": definition["id"],
    }
