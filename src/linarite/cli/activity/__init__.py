"""`linarite activity …`: who changed what."""

from __future__ import annotations

import typer

from linarite.cli.activity.list import ActivityFlags, list_activity
from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples

EXAMPLES = examples(("Who changed what in the last six hours?", "linarite activity list"))
LIST_EXAMPLES = examples(
    ("The last three days of a resource group:", "linarite activity list -g linarite --offset 3d"),
    (
        "What failed, for a program:",
        "linarite activity list --status Failed --max-events 10 -o json",
    ),
    (
        "Between two moments:",
        """linarite activity list --start-time 2026-11-25T08:00 \\
  --end-time 2026-11-25T18:00""",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    app = typer.Typer(name="activity", help="Activity log: list.", no_args_is_help=True)
    command(app, "list", list_activity, ActivityFlags, OutputFlags, epilog=LIST_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
