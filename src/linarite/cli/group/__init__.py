"""`linarite group …`: resource groups, in which accounts lie."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.group.create import Create, create
from linarite.cli.group.delete import DeleteFlags, delete
from linarite.cli.group.flags import NamedFlags
from linarite.cli.group.list import ListFlags, list_groups
from linarite.cli.group.show import exists, show
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("Which resource groups are there?", "linarite group list"),
    ("Make one for a team:", "linarite group create team-a --tags team=search"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="group",
        help="Resource groups: list, show, create, delete, exists.",
        no_args_is_help=True,
    )
    command(
        app,
        "list",
        list_groups,
        ListFlags,
        OutputFlags,
        epilog=examples(("Those of a team:", "linarite group list --tag team=search")),
    )
    command(
        app,
        "show",
        show,
        NamedFlags,
        OutputFlags,
        epilog=examples(("Where does it lie?", "linarite group show team-a")),
    )
    command(
        app,
        "create",
        create,
        NamedFlags,
        Create,
        OutputFlags,
        epilog=examples(("As az has it:", "linarite group create -n team-a -l local")),
    )
    command(
        app,
        "delete",
        delete,
        NamedFlags,
        DeleteFlags,
        epilog=examples(("Without a question:", "linarite group delete team-a --yes")),
    )
    command(
        app,
        "exists",
        exists,
        NamedFlags,
        epilog=examples(("In a script:", "linarite group exists -n team-a")),
    )
    root.add_typer(app, epilog=EXAMPLES)
