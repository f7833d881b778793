"""`linarite usage …`: quotas, and what was used."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.usage.list import UsageFlags, list_usage
from linarite.cli.usage.report import ReportFlags, report_usage

EXAMPLES = examples(
    ("What did each deployment use this month?", "linarite usage report"),
    ("What is taken of which quota?", "linarite usage list --used"),
)
LIST_EXAMPLES = examples(
    ("All quotas of the server's first region:", "linarite usage list"),
    ("Those of which something is taken:", "linarite usage list -l local --used"),
)
REPORT_EXAMPLES = examples(
    ("By key and day:", "linarite usage report --by key --by day"),
    (
        "What each team's tag has cost in a quarter, for a spreadsheet:",
        "linarite usage report --by tag:team --from 2026-01-01 --to 2026-03-31 --csv costs.csv",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    app = typer.Typer(
        name="usage", help="What was used: report. Quotas: list.", no_args_is_help=True
    )
    command(app, "list", list_usage, UsageFlags, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "report", report_usage, ReportFlags, OutputFlags, epilog=REPORT_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
