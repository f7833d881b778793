"""What a batch that has ended leaves: its files, what was wrong, an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from linarite.cli.arm.answers import part, parts
from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data, say
from linarite.cli.batch.watching import standing
from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.cli.batch.service import BatchService

ERRORS_SHOWN = 10


async def write_results(
    service: BatchService, batch: dict[str, Any], folder: Path, stem: str
) -> list[Path]:
    """Write the files of a batch, those that have anything in them; which ones."""
    written: list[Path] = []
    for kind in ("output", "error"):
        file_id = batch.get(f"{kind}_file_id")
        if not file_id:
            continue
        path = _place(folder, f"{stem}_{kind}.jsonl")
        if await service.download(file_id, path):
            written.append(path)
        else:
            path.unlink()
    return written


def _place(folder: Path, name: str) -> Path:
    """Where a file is to lie. Raises SetupError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise SetupError(f"{folder} can't be made: {problem.strerror}.") from None
    return folder / name


def end(batch: dict[str, Any], written: Sequence[Path], output: Output) -> None:
    """Say how it ended. Raises typer.Exit where it did not complete."""
    if output is Output.TABLE:
        say_errors(batch)
        typer.echo(standing(batch))
        for path in written:
            typer.echo(f"→ {path}")
    else:
        print_data(batch, output)
    if batch["status"] != "completed":
        raise typer.Exit(1)


def say_errors(batch: dict[str, Any]) -> None:
    """What is wrong with its file."""
    errors = parts(part(batch, "errors"), "data")
    for error in errors[:ERRORS_SHOWN]:
        where = f"line {error['line']}: " if error.get("line") else ""
        say(f"{where}{error['code']}: {error['message']}")
    if len(errors) > ERRORS_SHOWN:
        say(f"and {len(errors) - ERRORS_SHOWN} more (-o json shows them)")
