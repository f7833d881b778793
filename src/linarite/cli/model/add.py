"""`linarite model add`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from linarite.cli.model.list import uses
from linarite.cli.model.screen import console_for, megabytes, say_error
from linarite.cli.model_progress import ModelProgress
from linarite.domain.errors import LinariteError, SetupError

if TYPE_CHECKING:
    from linarite.hosting.models.store import ModelStore


def add_models(
    store: ModelStore,
    what: list[str],
    *,
    name: str | None,
    version: str | None,
    default: bool,
) -> None:
    """Add one after the other; those that fail are told, and make the exit status 1."""
    if name is not None and len(what) > 1:
        say_error(SetupError("--name names one model; add the others in commands of their own."))
        raise typer.Exit(2)
    console = console_for()
    failed = False
    for each in what:
        try:
            with ModelProgress(console_for(stderr=True)) as progress:
                manifest = store.add(
                    each, name=name, version=version, default=default, progress=progress
                )
        except LinariteError as error:
            say_error(error)
            failed = True
            continue
        console.print(
            f"[bold]{manifest.name}[/] is here: version {manifest.version}, "
            f"{megabytes(manifest.size_bytes)}, {uses(manifest.capabilities)}"
        )
    if failed:
        raise typer.Exit(1)
