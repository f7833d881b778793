"""`linarite operation …`: what is being carried out in the background."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.operation.list import list_operations
from linarite.cli.operation.show import OperationFlags, show
from linarite.cli.operation.wait import wait

EXAMPLES = examples(
    ("What is being carried out?", "linarite operation list"),
    (
        "Wait for an operation, by the id that a command has told:",
        "linarite operation wait 310eb6b8-4509-4685-88c5-00a04cf852ec",
    ),
)
LIST_EXAMPLES = examples(
    ("Every resource that is being made or changed:", "linarite operation list"),
)
SHOW_EXAMPLES = examples(
    (
        "How far is it?",
        "linarite operation show 310eb6b8-4509-4685-88c5-00a04cf852ec -o json",
    ),
)
WAIT_EXAMPLES = examples(
    (
        "Wait until it has ended; exit code 1 if it failed:",
        "linarite operation wait 310eb6b8-4509-4685-88c5-00a04cf852ec",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="operation",
        help="Long-running operations: list, show, wait.",
        no_args_is_help=True,
    )
    command(app, "list", list_operations, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "show", show, OperationFlags, OutputFlags, epilog=SHOW_EXAMPLES)
    command(app, "wait", wait, OperationFlags, OutputFlags, epilog=WAIT_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
