"""`linarite model show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from linarite.cli.model.list import lifecycle_words, uses
from linarite.cli.model.screen import console_for, failing_in_one_line, megabytes
from linarite.cli.model_progress import ModelProgress

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.hosting.models.manifest import Manifest
    from linarite.hosting.models.store import ModelStore


def show_model(store: ModelStore, name: str, version: str, *, as_json: bool) -> None:
    """Print one version's manifest and where its file is, having checked the file."""
    with failing_in_one_line():
        manifest = store.get(name, version)
        with ModelProgress(console_for(stderr=True)) as progress:
            path = store.verified_path(name, manifest.version, progress=progress)
        others = store.versions()[manifest.name]
    if as_json:
        told = {**msgspec.to_builtins(manifest), "path": str(path)}
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    console_for().print(_table(manifest, path, others))


def _table(manifest: Manifest, path: Path, versions: list[str]) -> Table:
    table = Table.grid("", "", padding=(0, 2))
    rows = {
        "name": manifest.name,
        "version": manifest.version,
        "default": versions[0] if len(versions) > 1 else "",
        "versions": ", ".join(versions) if len(versions) > 1 else "",
        "lifecycle": lifecycle_words(manifest.lifecycle),
        "title": manifest.title,
        "uses": uses(manifest.capabilities),
        "licence": manifest.licence or "unknown",
        "architecture": manifest.architecture,
        "parameters": f"{manifest.parameters:,}",
        "quantisation": manifest.quantisation,
        "context": f"{manifest.context_length:,} tokens",
        "embeddings": f"{manifest.embedding_length} numbers" if manifest.embedding_length else "",
        "prefixes": " / ".join(filter(None, (manifest.query_prefix, manifest.passage_prefix))),
        "size": megabytes(manifest.size_bytes),
        "sha256": manifest.sha256,
        "source": manifest.source,
        "added": f"{manifest.added_at:%Y-%m-%d %H:%M} UTC",
        "file": str(path),
    }
    for label, value in rows.items():
        if value:
            table.add_row(f"[dim]{label}[/]", escape(value))
    return table
