"""Flags that commands about accounts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from linarite.cli.arm.completion import account_names
from linarite.cli.arm.naming import typed_once

DECLARED = "the one that settings declare"


@dataclass(frozen=True, kw_only=True)
class NamedFlags:
    """Which account, typed as the command's object or with az's `--name`."""

    account: Annotated[
        str | None,
        typer.Argument(
            help="Name of the account.", show_default=DECLARED, autocompletion=account_names
        ),
    ] = None
    name: Annotated[
        str | None,
        typer.Option("--name", "-n", help="The same.", autocompletion=account_names),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Its resource group.", show_default="any"),
    ] = None

    @property
    def named(self) -> str | None:
        """The name, if one was typed."""
        return typed_once(self.account, self.name, "account")

    @property
    def required(self) -> str:
        """The name. Raises BadParameter when none was typed."""
        if not self.named:
            raise typer.BadParameter("Name the account.", param_hint="ACCOUNT")
        return self.named
