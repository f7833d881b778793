"""`linarite content …`: prompts and completions that an account has kept."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import AccountFlags, OutputFlags, command
from linarite.cli.content.acts import (
    Asked,
    Days,
    Which,
    disable,
    enable,
    list_records,
    read,
    show,
)
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("Keep what is asked and answered, for a week:", "linarite content enable --days 7"),
    ("What was asked in that request?", "linarite content read REQUEST_ID --key env:TOKEN"),
)
ENABLE_EXAMPLES = examples(
    ("Of the account that settings declare:", "linarite content enable"),
    ("Of another one, for a week:", "linarite content enable -n team-a --days 7"),
)
DISABLE_EXAMPLES = examples(
    ("What is kept already stays until its time is over:", "linarite content disable"),
)
SHOW_EXAMPLES = examples(
    ("Is anything kept, and for how long?", "linarite content show"),
)
LIST_EXAMPLES = examples(
    ("Of which requests is content kept?", "linarite content list"),
    ("Of one deployment's:", "linarite content list --deployment chat --max-entries 10"),
)
READ_EXAMPLES = examples(
    (
        "It takes a role, such as Linarite Content Reader; a management key is not enough:",
        "linarite content read 01a215eb-7fba-4ac5-a0b0-45fc9bac1cba --key env:TOKEN",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="content",
        help="Prompts and completions that are kept: enable, disable, show, list, read.",
        no_args_is_help=True,
    )
    command(app, "enable", enable, AccountFlags, Days, OutputFlags, epilog=ENABLE_EXAMPLES)
    command(app, "disable", disable, AccountFlags, OutputFlags, epilog=DISABLE_EXAMPLES)
    command(app, "show", show, AccountFlags, OutputFlags, epilog=SHOW_EXAMPLES)
    command(app, "list", list_records, AccountFlags, Which, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "read", read, Asked, AccountFlags, OutputFlags, epilog=READ_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
