"""`linarite egress …`: what was not let out, and why."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.egress.refused import RefusedFlags, list_refused
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("What has this server refused to connect to?", "linarite egress refused"),
    ("For requests to one account:", "linarite egress refused --account linarite"),
    ("What perimeters refused or would refuse, too:", "linarite egress refused --all"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(name="egress", help="Outgoing connections: refused.", no_args_is_help=True)
    command(app, "refused", list_refused, RefusedFlags, OutputFlags, epilog=EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
