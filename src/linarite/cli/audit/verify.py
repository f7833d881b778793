"""`linarite audit verify`: is the log whole? Offline, and without any key."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from linarite.cli.audit.anchors import read_anchors
from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from linarite.cli.commands import Commands
    from linarite.controls.audit.verification import Verdict

EXAMPLES = examples(
    ("The log of this data folder, whether its server runs or not:", "linarite audit verify"),
    ("A copy of it:", "linarite audit verify /backup/audit.db"),
    ("What `linarite audit export` has written:", "linarite audit verify ./exported"),
    (
        "With what was kept elsewhere, so that a cut-off end shows:",
        "linarite audit verify --anchor anchors.jsonl",
    ),
)
BROKEN_EXIT_CODE = 4
TICKS = 1_000


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("verify", epilog=EXAMPLES)(verify)


def verify(
    context: typer.Context,
    what: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE|FOLDER]",
            help="An audit.db, or the folder of an export.",
            show_default="the data folder's audit.db",
        ),
    ] = None,
    *,
    home: Annotated[
        Path | None, typer.Option(help="The data folder.", show_default="as settings say")
    ] = None,
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            help="What `linarite audit anchor` printed, or a file with such lines.",
            show_default=False,
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="The fingerprint that the log's key must have (SHA256:…), as the server tells at "
            "start.",
            show_default="that of the anchor, else any",
        ),
    ] = None,
) -> None:
    """Prove that nothing in the audit log was removed, changed, moved or cut off.

    Exits with 4 when something was, and names the first entry that can't be trusted.
    What came after the last checkpoint could have been cut off without a trace: anchors kept
    elsewhere prove it up to them.
    """
    from linarite.cli.audit.evidence import proved  # noqa: PLC0415 - slow, and seldom needed

    commands: Commands = context.obj
    anchors = [each for told in anchor or () for each in read_anchors(told)]
    place = what or (home or commands.home())
    with bar() as progress:
        verdict = proved(place, anchors, key, progress)
    if verdict.good:
        typer.echo(told(verdict))
        return
    typer.echo(told(verdict), err=True)
    raise typer.Exit(BROKEN_EXIT_CODE)


@contextmanager
def bar() -> Generator[Callable[[int, int], None]]:
    """A progress bar on a terminal: how many of how many entries."""
    console = Console(stderr=True)
    columns = (TextColumn("verifying"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("verifying", total=None)

        def tell(done: int, total: int) -> None:
            if done % TICKS == 0:
                progress.update(task, completed=done, total=total)

        yield tell


def told(verdict: Verdict) -> str:
    """A verdict in words."""
    if verdict.problem is not None:
        return (
            f"BROKEN at {verdict.problem.seq}: {verdict.problem.reason}.\n"
            f"Entries before {verdict.problem.seq} are as they were; nothing from there on is "
            "proved."
        )
    if not verdict.entries and not verdict.signed_to:
        return f"An empty log, to be signed by {verdict.fingerprint}."
    lines = [
        f"Whole: {verdict.entries:,} entries, {verdict.first:,} to {verdict.last:,}.",
        f"Signed up to {verdict.signed_to:,} by {verdict.fingerprint}.",
    ]
    if verdict.last > verdict.signed_to:
        lines.append(
            f"The last {verdict.last - verdict.signed_to:,} are linked and not signed yet: that "
            "more came after them can't be excluded."
        )
    lines += [
        f"The anchor at {seq:,} lies before the oldest entry kept: it could not be compared."
        for seq in verdict.unproved_anchors
    ]
    return "\n".join(lines)
