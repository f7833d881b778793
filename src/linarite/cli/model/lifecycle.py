"""`linarite model set`: the life of a version in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from linarite.cli.model.list import lifecycle_words
from linarite.cli.model.screen import console_for, failing_in_one_line
from linarite.domain.errors import SetupError
from linarite.domain.model_lifecycle import Replacement, in_utc

if TYPE_CHECKING:
    from linarite.domain.model_lifecycle import Lifecycle
    from linarite.hosting.models.store import ModelStore

NEVER = "never"


class StageWord(StrEnum):
    """A version's stage, as it is typed."""

    PREVIEW = "preview"
    AVAILABLE = "available"
    LEGACY = "legacy"


_STAGES = {
    StageWord.PREVIEW: "Preview",
    StageWord.AVAILABLE: "GenerallyAvailable",
    StageWord.LEGACY: "Legacy",
}


@dataclass(frozen=True, kw_only=True)
class LifecycleFlags:
    """What may be said of a version; what is not said stays."""

    name: Annotated[str, typer.Argument(help="A model that is here.", show_default=False)]
    model_version: Annotated[
        str, typer.Option(help="Which version.", show_default="the default version")
    ] = ""
    stage: Annotated[StageWord | None, typer.Option(help="How finished it is.")] = None
    default: Annotated[
        bool, typer.Option("--default", help="Make it the default version of its model.")
    ] = False
    deprecated: Annotated[
        str | None,
        typer.Option(help=f"When new deployments end: a date, or '{NEVER}'.", metavar="DATE"),
    ] = None
    retired: Annotated[
        str | None,
        typer.Option(help=f"When it answers no more: a date, or '{NEVER}'.", metavar="DATE"),
    ] = None
    then: Annotated[
        str | None,
        typer.Option(
            help=f"The version that follows it, NAME@VERSION for another model, or '{NEVER}'.",
            metavar="VERSION",
        ),
    ] = None


def set_lifecycle(store: ModelStore, said: LifecycleFlags) -> None:
    """Keep what is said; a running server hears of it within a minute."""
    with failing_in_one_line():
        manifest = store.get(said.name, said.model_version)
        changed = msgspec.structs.replace(manifest.lifecycle, **_changes(said))
        _require_order(changed)
        store.describe(msgspec.structs.replace(manifest, lifecycle=changed))
    console_for().print(f"[bold]{manifest.name}[/] {manifest.version}: {lifecycle_words(changed)}")


def _changes(said: LifecycleFlags) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if said.stage is not None:
        changes["stage"] = _STAGES[said.stage]
    if said.default:
        changes["default_since"] = datetime.now(UTC)
    if said.deprecated is not None:
        changes["deprecated_at"] = _moment("--deprecated", said.deprecated)
    if said.retired is not None:
        changes["retired_at"] = _moment("--retired", said.retired)
    if said.then is not None:
        name, _, version = said.then.rpartition("@")
        changes["replacement"] = (
            None if said.then == NEVER else Replacement(name=name.lower(), version=version)
        )
    return changes


def _moment(flag: str, text: str) -> datetime | None:
    if text == NEVER:
        return None
    try:
        return in_utc(datetime.fromisoformat(text))
    except ValueError:
        raise SetupError(
            f"{flag} takes a date such as 2027-01-31, or '{NEVER}'; it is '{text[:50]}'."
        ) from None


def _require_order(lifecycle: Lifecycle) -> None:
    ends = lifecycle.retired_at
    if ends is not None and lifecycle.deprecated_at is not None and lifecycle.deprecated_at > ends:
        raise SetupError(
            "New deployments must end before the version is retired: --deprecated is after "
            "--retired."
        )
