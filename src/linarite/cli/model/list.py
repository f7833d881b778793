"""`linarite model list`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import typer
from rich.table import Table

from linarite.cli.model.screen import console_for, failing_in_one_line, megabytes
from linarite.hosting.models.catalogue import CATALOGUE, CatalogueModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.model_lifecycle import Lifecycle, LifecycleStatus
    from linarite.hosting.models.manifest import Manifest, ModelCapabilities
    from linarite.hosting.models.store import ModelStore


WORDS: dict[LifecycleStatus, str] = {
    "Preview": "preview",
    "GenerallyAvailable": "available",
    "Legacy": "legacy",
    "Deprecating": "deprecated",
    "Deprecated": "retired",
}
"""ARM's words as Azure's pages say them"""


def list_models(store: ModelStore, *, as_json: bool) -> None:
    """Print the models of the store, then what the catalogue offers beyond them."""
    with failing_in_one_line():
        here = store.list()
        damaged = store.damaged()
        defaults = {name: versions[0] for name, versions in store.versions().items()}
    names = {manifest.name for manifest in here}
    offered = [model for model in CATALOGUE if model.name not in names]
    if as_json:
        typer.echo(_json(here, offered, damaged, defaults))
        return
    console = console_for()
    if here or damaged:
        console.print(_table(here, damaged, defaults))
    else:
        console.print("No models here yet.")
    for model in offered:
        console.print(
            f"Can be added: [bold]{model.name}[/] ({megabytes(model.download_bytes)}): "
            f"{model.purpose}"
        )


def uses(capabilities: ModelCapabilities) -> str:
    """What a model can be used for, in a few words."""
    words = {
        "chat": capabilities.chat_completion,
        "tools": capabilities.tools,
        "completion": capabilities.completion,
        "fill-in-the-middle": capabilities.fill_in_the_middle,
        "embeddings": capabilities.embeddings,
    }
    return ", ".join(word for word, able in words.items() if able)


def lifecycle_words(lifecycle: Lifecycle) -> str:
    """How a version stands today, and what is to come."""
    now = datetime.now(UTC)
    words: list[str] = [WORDS[lifecycle.status(now)]]
    if lifecycle.deprecated_at is not None and not lifecycle.deprecated(now):
        words.append(f"no new deployments from {lifecycle.deprecated_at:%Y-%m-%d}")
    if lifecycle.retired_at is not None and not lifecycle.retired(now):
        words.append(f"until {lifecycle.retired_at:%Y-%m-%d}")
    if lifecycle.replacement is not None:
        after = lifecycle.replacement
        words.append(f"then {' '.join(filter(None, (after.name, after.version))) or 'the default'}")
    return ", ".join(words)


def _table(here: list[Manifest], damaged: tuple[str, ...], defaults: Mapping[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (
        "NAME",
        "VERSION",
        "SIZE",
        "QUANT",
        "CONTEXT",
        "USES",
        "LICENCE",
        "LIFECYCLE",
    ):
        table.add_column(heading, justify="right" if heading in {"SIZE", "CONTEXT"} else "left")
    for manifest in here:
        table.add_row(
            manifest.name,
            f"{manifest.version}{_mark(manifest, here, defaults)}",
            megabytes(manifest.size_bytes),
            manifest.quantisation,
            f"{manifest.context_length:,}",
            uses(manifest.capabilities),
            manifest.licence or "unknown",
            lifecycle_words(manifest.lifecycle),
        )
    for name in damaged:
        table.add_row(f"[red]{name}[/]", "", "", "", "", "[red]damaged: remove it, add it again[/]")
    return table


def _mark(manifest: Manifest, here: list[Manifest], defaults: Mapping[str, str]) -> str:
    """Which of several versions is the default one."""
    several = sum(each.name == manifest.name for each in here) > 1
    return " (default)" if several and defaults[manifest.name] == manifest.version else ""


def _json(
    here: list[Manifest],
    offered: list[CatalogueModel],
    damaged: tuple[str, ...],
    defaults: Mapping[str, str],
) -> str:
    listing = {
        "models": here,
        "default_versions": defaults,
        "available": [
            {
                "name": model.name,
                "version": model.version,
                "title": model.title,
                "licence": model.licence,
                "download_bytes": model.download_bytes,
                "size_bytes": model.size_bytes,
            }
            for model in offered
        ],
        "damaged": damaged,
    }
    return msgspec.json.format(msgspec.json.encode(listing)).decode()
