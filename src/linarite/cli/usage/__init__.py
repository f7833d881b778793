"""`linarite usage …`: quotas."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.usage.list import UsageFlags, list_usage

EXAMPLES = examples(("What is taken of which quota?", "linarite usage list --used"))
LIST_EXAMPLES = examples(
    ("All quotas of the server's first region:", "linarite usage list"),
    ("Those of which something is taken:", "linarite usage list -l local --used"),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    app = typer.Typer(name="usage", help="Quotas: list.", no_args_is_help=True)
    command(app, "list", list_usage, UsageFlags, OutputFlags, epilog=LIST_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
