"""Where policies lie: from what a person types to the paths that Azure Resource Manager wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer

from linarite.cli.arm.naming import group_path, subscription_path
from linarite.cli.arm.refusals import NOT_FOUND, ServerRefused
from linarite.cli.template.file import read_text
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

POLICY_VERSION = "2025-11-01"
STATES_VERSION = "2024-10-01"
AUTHORIZATION = "providers/Microsoft.Authorization"
DEFINITIONS = f"{AUTHORIZATION}/policyDefinitions"
SETS = f"{AUTHORIZATION}/policySetDefinitions"
ASSIGNMENTS = f"{AUTHORIZATION}/policyAssignments"
STATES = "providers/Microsoft.PolicyInsights/policyStates/latest"


@dataclass(frozen=True, kw_only=True)
class ScopeFlags:
    """At which scope."""

    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", help="Id of a group or a resource.", show_default="the subscription"
        ),
    ] = None
    resource_group: Annotated[
        str | None, typer.Option("--resource-group", "-g", help="A resource group as the scope.")
    ] = None

    async def path(self, server: Server) -> str:
        """The scope's id. Raises SetupError when two are named."""
        if self.scope and self.resource_group:
            raise SetupError("Two scopes: give --scope or --resource-group.")
        if self.scope:
            return self.scope.rstrip("/")
        if self.resource_group:
            return await group_path(server, self.resource_group)
        return await subscription_path(server)


@dataclass(frozen=True, kw_only=True)
class NameFlags:
    """Which one."""

    name: Annotated[str, typer.Option("--name", "-n", help="Its name.", show_default=False)]


async def found(server: Server, named: str, *kinds: str) -> dict[str, Any]:
    """A definition or initiative by its id or name: the subscription's own, else a built-in one.

    Raises ServerRefused when there is none.
    """
    if named.startswith("/"):
        return (await server.send("GET", named, version=POLICY_VERSION)).body
    subscription = await subscription_path(server)
    for kind in kinds:
        for place in (subscription, ""):
            try:
                path = f"{place}/{kind}/{named}"
                return (await server.send("GET", path, version=POLICY_VERSION)).body
            except ServerRefused as refused:
                if refused.status != NOT_FOUND:
                    raise
    raise ServerRefused(
        f"There is no policy {named}. See what there is: linarite policy definition list",
        status=NOT_FOUND,
    )


def json_of(typed: str, what: str) -> dict[str, Any]:
    """JSON as it was typed, or that of a file (`rules.json`, `@rules.json`). Raises SetupError."""
    text = typed if typed.lstrip().startswith("{") else read_text(Path(typed.removeprefix("@")))
    try:
        told = msgspec.json.decode(text)
    except msgspec.DecodeError as problem:
        raise SetupError(f"The {what} are no JSON: {problem}.") from None
    if not isinstance(told, dict):
        raise SetupError(f"The {what} are no JSON object.")
    return cast("dict[str, Any]", told)
