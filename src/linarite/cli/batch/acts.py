"""`linarite batch list | show | cancel`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.printed import print_many, print_one
from linarite.cli.batch.results import end, say_errors, write_results
from linarite.cli.batch.watching import counts, watch

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.batch.service import BatchService


@dataclass(frozen=True, kw_only=True)
class ListFlags:
    """How many."""

    max_entries: Annotated[int, typer.Option(min=1, help="Most batches that are shown.")] = 20


@dataclass(frozen=True, kw_only=True)
class ShowFlags:
    """Which one, and what of it."""

    batch: Annotated[str, typer.Argument(help="Its id: batch_…")]
    watch: Annotated[bool, typer.Option("--watch", help="Wait until it has ended.")] = False
    to: Annotated[
        Path | None, typer.Option(help="Folder to write the answers to.", file_okay=False)
    ] = None


@dataclass(frozen=True, kw_only=True)
class CancelFlags:
    """Which one."""

    batch: Annotated[str, typer.Argument(help="Its id: batch_…")]


async def list_batches(service: BatchService, asked: ListFlags, shown: OutputFlags) -> None:
    """List batches, the newest first, with how far they are."""
    found = await service.batches(asked.max_entries)
    print_many(found, row, shown.output, none="No batches yet: linarite batch run FILE --watch")


async def show(service: BatchService, asked: ShowFlags, shown: OutputFlags) -> None:
    """Show a batch, and what is wrong with its file; with --to, take its answers."""
    batch = await service.batch(asked.batch)
    if asked.watch:
        batch = await watch(service, batch)
    if asked.to is not None:
        written = await write_results(service, batch, asked.to, batch["id"])
        end(batch, written, shown.output)
        return
    say_errors(batch)
    print_one(batch, facts, shown.output)


async def cancel(service: BatchService, asked: CancelFlags, shown: OutputFlags) -> None:
    """Cancel a batch: requests that are being answered end, and what was answered is kept."""
    print_one(await service.cancel(asked.batch), facts, shown.output)


def row(batch: dict[str, Any]) -> dict[str, object]:
    """A batch's line."""
    total, done, failed = counts(batch)
    return {
        "id": batch["id"],
        "created": moment(batch["created_at"]),
        "status": batch["status"],
        "requests": total,
        "done": done,
        "failed": failed,
    }


def facts(batch: dict[str, Any]) -> dict[str, object]:
    """What is told of one."""
    usage = part(batch, "usage")
    names = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelled", "expires")
    times = {f"{name} at": moment(batch[f"{name}_at"]) for name in names if batch.get(f"{name}_at")}
    return {
        **row(batch),
        "model": batch.get("model"),
        "endpoint": batch["endpoint"],
        **times,
        "input tokens": usage.get("input_tokens"),
        "output tokens": usage.get("output_tokens"),
        "input file": batch["input_file_id"],
        "output file": batch["output_file_id"],
        "error file": batch["error_file_id"],
        "metadata": batch.get("metadata"),
    }


def moment(seconds: int) -> str:
    """A time, as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
