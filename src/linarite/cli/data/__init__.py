"""`linarite data …`: what is held of an account."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.data.report import Which, report
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("What is held of an account, since when and until when?", "linarite data report team-a"),
)
REPORT_EXAMPLES = examples(
    ("Of the account that settings declare:", "linarite data report"),
    ("For a program:", "linarite data report team-a -o json"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="data",
        help="What is held of an account: report.",
        no_args_is_help=True,
    )
    command(app, "report", report, Which, OutputFlags, epilog=REPORT_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
