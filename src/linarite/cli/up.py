"""`linarite up`: run a server."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from linarite.cli.commands import UpOptions
from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from linarite.cli.commands import Commands

EXAMPLES = examples(
    ("Start with the default models; the first time they are downloaded:", "linarite up"),
    ("Only the small models, on a free port:", "linarite up --minimal --port 0"),
    ("With your own settings:", "linarite up --config linarite.toml"),
    (
        "For scripts: wait for the file, then read endpoint and key from it:",
        "linarite up --ready-file ready.json",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    root.command("up", epilog=EXAMPLES)(up)


def up(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file. Without it: linarite.toml here or in the data folder."),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = None,
    minimal: Annotated[
        bool, typer.Option("--minimal", help="Fetch and serve only the small default models.")
    ] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="Write endpoint, key and deployments to this file once it serves."),
    ] = None,
) -> None:
    """Run a server until Ctrl-C.

    The default models are downloaded the first time; after that no network is needed.
    """
    commands: Commands = context.obj
    options = UpOptions(config=config, host=host, port=port, minimal=minimal, ready_file=ready_file)
    raise typer.Exit(commands.serve(options))
