"""`linarite model add`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from linarite.cli.model.list import uses
from linarite.cli.model.screen import console_for, megabytes, say_error
from linarite.cli.model_progress import ModelProgress
from linarite.domain.errors import LinariteError, SetupError
from linarite.hosting.models.store import local_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.progress import Progress
    from linarite.hosting.models.store import ModelStore
    from linarite.hosting.models.wanted import Wanted


def add_models(
    store: ModelStore,
    bring: Callable[[Wanted, Progress], Manifest],
    what: list[Wanted],
) -> None:
    """Add one after the other; those that fail are told, and make the exit status 1."""
    if what[0].name is not None and len(what) > 1:
        say_error(SetupError("--name names one model; add the others in commands of their own."))
        raise typer.Exit(2)
    console = console_for()
    failed = False
    for each in what:
        try:
            with ModelProgress(console_for(stderr=True)) as progress:
                manifest = _added(store, bring, each, progress)
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


def _added(
    store: ModelStore,
    bring: Callable[[Wanted, Progress], Manifest],
    wanted: Wanted,
    progress: Progress,
) -> Manifest:
    """A file of this machine is copied right here."""
    if local_file(wanted.source) is None:
        return bring(wanted, progress)
    return store.add(
        wanted.source,
        name=wanted.name,
        version=wanted.version,
        default=wanted.default,
        progress=progress,
    )
