"""`linarite batch …`: files of requests, answered in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from linarite.cli.arm.flags import OutputFlags, flattened
from linarite.cli.batch.acts import (
    CancelFlags,
    ListFlags,
    ShowFlags,
    cancel,
    list_batches,
    show,
)
from linarite.cli.batch.run import RunFlags, run
from linarite.cli.batch.service import BatchService
from linarite.cli.data_plane.flags import AccountFlags, asking
from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from linarite.cli.commands import Commands
    from linarite.cli.data_plane.client import DataPlane

BATCH = "batch_01a21851-81bf-45df-82a8-120742a134b1"
EXAMPLES = examples(
    ("Have a file answered, and wait for it:", "linarite batch run requests.jsonl --watch"),
    ("How far are they?", "linarite batch list"),
)
RUN_EXAMPLES = examples(
    ("Answers come to lie beside the file:", "linarite batch run requests.jsonl --watch"),
    (
        "A line of the file (in the file without a break):",
        """{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions",
   "body": {"model": "DEPLOYMENT", "messages": [{"role": "user", "content": "Hi."}]}}""",
    ),
    (
        "A deployment that takes batches:",
        "linarite deployment create later --model gpt-4o --sku GlobalBatch --capacity 1000",
    ),
)
SHOW_EXAMPLES = examples(
    ("What is wrong with it?", f"linarite batch show {BATCH}"),
    ("Wait for it, and take the answers:", f"linarite batch show {BATCH} --watch --to ."),
)
LIST_EXAMPLES = examples(("The newest first:", "linarite batch list --max-entries 5"))
CANCEL_EXAMPLES = examples(
    ("What was answered is kept:", f"linarite batch cancel {BATCH}"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="batch",
        help="Files of requests, answered in the background: run, list, show, cancel.",
        no_args_is_help=True,
    )
    for name, act, flags, epilog in (
        ("run", run, RunFlags, RUN_EXAMPLES),
        ("list", list_batches, ListFlags, LIST_EXAMPLES),
        ("show", show, ShowFlags, SHOW_EXAMPLES),
        ("cancel", cancel, CancelFlags, CANCEL_EXAMPLES),
    ):
        asked = asking(act, _service)
        app.command(name, epilog=epilog)(flattened(asked, flags, OutputFlags, AccountFlags))
    root.add_typer(app, epilog=EXAMPLES)


def _service(account: DataPlane, _: Commands) -> tuple[BatchService]:
    """What acts begin with."""
    return (BatchService(account),)
