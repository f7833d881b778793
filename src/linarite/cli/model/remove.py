"""`linarite model remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.cli.model.screen import console_for, failing_in_one_line

if TYPE_CHECKING:
    from linarite.hosting.models.store import ModelStore


def remove_models(store: ModelStore, names: list[str], version: str, *, all_versions: bool) -> None:
    """Remove them in order; the first that is not there ends it with status 1."""
    for name in names:
        with failing_in_one_line():
            store.remove(name, version, all_versions=all_versions)
        which = f" {version}" if version else ""
        console_for().print(f"[bold]{name.lower()}[/]{which} is removed.")
