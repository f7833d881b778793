"""Flags that commands about private endpoints share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from linarite.cli.arm.completion import account_names
from linarite.cli.arm.naming import typed_once


@dataclass(frozen=True, kw_only=True)
class WhichFlags:
    """To which account, and how they stand."""

    account: Annotated[
        str | None,
        typer.Option(help="To this account.", show_default="any", autocompletion=account_names),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="The account's group.", show_default="any"),
    ] = None
    state: Annotated[
        str | None,
        typer.Option(help="pending, approved, rejected or disconnected.", show_default="all"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class NamedFlags:
    """Which one, by its own name or by that of its connection."""

    private_endpoint: Annotated[
        str | None,
        typer.Argument(help="Name of the private endpoint.", show_default=False),
    ] = None
    name: Annotated[str | None, typer.Option("--name", "-n", help="The same.")] = None
    account: Annotated[
        str | None,
        typer.Option(
            help="The account it leads to.", show_default="any", autocompletion=account_names
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="The account's group.", show_default="any"),
    ] = None

    @property
    def required(self) -> str:
        """The name. Raises BadParameter when none was typed."""
        named = typed_once(self.private_endpoint, self.name, "private endpoint")
        if not named:
            raise typer.BadParameter("Name the private endpoint.", param_hint="PRIVATE_ENDPOINT")
        return named
