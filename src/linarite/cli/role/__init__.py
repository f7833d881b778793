"""`linarite role …`: who may do what, in az's words."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.role.assignment import (
    CreateFlags,
    DeleteFlags,
    ListFlags,
    create,
    delete,
    list_assignments,
)
from linarite.cli.role.definition import DefinitionFlags, ShowFlags, list_definitions, show

EXAMPLES = examples(
    ("Which roles are there?", "linarite role definition list"),
    (
        "Let an application call the models:",
        """linarite role assignment create --assignee my-service \\
  --role "Cognitive Services OpenAI User\"""",
    ),
    ("Who has which role?", "linarite role assignment list --all"),
)
DEFINITION_EXAMPLES = examples(
    ("What does a role grant?", 'linarite role definition show "Foundry User"'),
)
ASSIGNMENT_EXAMPLES = examples(
    ("Everything that somebody has:", "linarite role assignment list --assignee ada --all"),
)
CREATE_EXAMPLES = examples(
    (
        "At the declared account, for an application of this server's directory:",
        """linarite role assignment create --assignee my-service \\
  --role "Cognitive Services OpenAI User\"""",
    ),
    (
        "For somebody of another issuer, at a resource group:",
        """linarite role assignment create -g linarite --role Reader \\
  --assignee-object-id 7a3c0f6e-3f0e-4d0c-9f61-0f5a1b6f2d11 \\
  --assignee-principal-type User""",
    ),
)
DELETE_EXAMPLES = examples(
    (
        "It refuses from that moment on:",
        "linarite role assignment delete --assignee my-service --role Reader",
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="role", help="Who may do what: definition, assignment.", no_args_is_help=True
    )
    definition = typer.Typer(
        name="definition", help="What roles grant: list, show.", no_args_is_help=True
    )
    command(
        definition,
        "list",
        list_definitions,
        DefinitionFlags,
        OutputFlags,
        epilog=examples(("Your own ones:", "linarite role definition list --custom-role-only")),
    )
    command(definition, "show", show, ShowFlags, OutputFlags, epilog=DEFINITION_EXAMPLES)
    app.add_typer(definition, epilog=DEFINITION_EXAMPLES)
    assignment = typer.Typer(
        name="assignment", help="Who has which role: create, list, delete.", no_args_is_help=True
    )
    command(assignment, "create", create, CreateFlags, OutputFlags, epilog=CREATE_EXAMPLES)
    command(
        assignment, "list", list_assignments, ListFlags, OutputFlags, epilog=ASSIGNMENT_EXAMPLES
    )
    command(assignment, "delete", delete, DeleteFlags, epilog=DELETE_EXAMPLES)
    app.add_typer(assignment, epilog=ASSIGNMENT_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
