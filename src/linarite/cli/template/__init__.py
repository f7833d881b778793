"""`linarite template …`: ARM templates, written by hand or compiled from Bicep."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.template.deploy import WaitFlags, deploy
from linarite.cli.template.file import TemplateFlags
from linarite.cli.template.validate import validate
from linarite.cli.template.what_if import what_if

EXAMPLES = examples(
    ("What would it change?", "linarite template what-if main.json"),
    ("Make it so:", "linarite template deploy main.json --parameters capacity=2"),
)
DEPLOY_EXAMPLES = examples(
    (
        "With parameters from a file, one of them another:",
        "linarite template deploy main.json -p main.parameters.json -p capacity=2",
    ),
    (
        "As az has it:",
        """linarite template deploy -g linarite --template-file main.json \\
  --parameters capacity=2 --name first""",
    ),
    (
        "From Bicep:",
        "bicep build main.bicep && linarite template deploy main.json",
    ),
)
WHAT_IF_EXAMPLES = examples(
    ("What would it change?", "linarite template what-if main.json -p capacity=2"),
    ("For a program:", "linarite template what-if main.json -o json"),
)
VALIDATE_EXAMPLES = examples(
    ("Would it be accepted?", "linarite template validate main.json -p capacity=2"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="template",
        help="ARM templates: deploy, what-if, validate.",
        no_args_is_help=True,
    )
    command(app, "deploy", deploy, TemplateFlags, WaitFlags, OutputFlags, epilog=DEPLOY_EXAMPLES)
    command(app, "what-if", what_if, TemplateFlags, OutputFlags, epilog=WHAT_IF_EXAMPLES)
    command(app, "validate", validate, TemplateFlags, OutputFlags, epilog=VALIDATE_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
