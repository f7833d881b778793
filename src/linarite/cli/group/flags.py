"""Flags that commands about resource groups share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from linarite.cli.arm.completion import group_names
from linarite.cli.arm.naming import typed_once


@dataclass(frozen=True, kw_only=True)
class NamedFlags:
    """Which group, typed as the command's object or with az's `--name`."""

    group: Annotated[
        str | None,
        typer.Argument(
            help="Name of the resource group.", show_default=False, autocompletion=group_names
        ),
    ] = None
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            "--resource-group",
            "-n",
            "-g",
            help="The same.",
            autocompletion=group_names,
        ),
    ] = None

    @property
    def required(self) -> str:
        """The name. Raises BadParameter when none was typed."""
        named = typed_once(self.group, self.name, "resource group")
        if not named:
            raise typer.BadParameter("Name the resource group.", param_hint="GROUP")
        return named
