"""Flags that commands about deployments share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from linarite.cli.arm.completion import deployment_names
from linarite.cli.arm.naming import typed_once


@dataclass(frozen=True, kw_only=True)
class DeploymentFlags:
    """Which deployment; az's `--deployment-name` is taken too."""

    deployment: Annotated[
        str | None,
        typer.Argument(
            help="Name of the deployment.",
            show_default=False,
            autocompletion=deployment_names,
        ),
    ] = None
    deployment_name: Annotated[
        str | None,
        typer.Option("--deployment-name", help="The same.", autocompletion=deployment_names),
    ] = None

    @property
    def name(self) -> str:
        """The name. Raises BadParameter when none was typed."""
        name = typed_once(self.deployment, self.deployment_name, "deployment")
        if not name:
            raise typer.BadParameter("Name the deployment.", param_hint="DEPLOYMENT")
        return name


@dataclass(frozen=True, kw_only=True)
class WatchFlags:
    """Whether to wait."""

    watch: Annotated[
        bool, typer.Option("--watch", help="Wait until it is done, and show how far it is.")
    ] = False
