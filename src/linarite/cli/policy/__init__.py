"""`linarite policy …`: what may be made, in az's words."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.policy import assignment, definition, state
from linarite.cli.policy.places import NameFlags, ScopeFlags

APPROVED = "11a121a7-e000-4000-8000-000000000001"
EXAMPLES = examples(
    ("What can be assigned?", "linarite policy definition list"),
    (
        "Only let approved models be deployed:",
        f"""linarite policy assignment create -n approved --policy {APPROVED} \\
  -p 'allowedModels=["gpt-4o"]'""",
    ),
    ("What was there before, and does not comply?", "linarite policy state list"),
)
DEFINITION_EXAMPLES = examples(
    ("Those of your own:", "linarite policy definition list --type Custom"),
    ("Its rule:", f"linarite policy definition show -n {APPROVED} -o json"),
    (
        "One of your own; the same files serve az:",
        "linarite policy definition create -n small --rules rules.json --mode All",
    ),
    ("And away with it:", "linarite policy definition delete -n small"),
)
ASSIGNMENT_EXAMPLES = examples(
    ("What counts in a resource group?", "linarite policy assignment list -g linarite"),
    ("One of them:", "linarite policy assignment show -n approved -g linarite"),
    (
        "In one resource group, telling people why:",
        f"""linarite policy assignment create -n approved --policy {APPROVED} -g linarite \\
  -p 'allowedModels=["gpt-4o"]' --message 'Ask the platform team.'""",
    ),
    (
        "Only tell, refuse nothing:",
        """linarite policy assignment create -n keys -e DoNotEnforce \\
  --policy 71ef260a-8f18-47b7-abcb-62d0673d94dc""",
    ),
    ("Take it back:", "linarite policy assignment delete -n approved -g linarite"),
)
STATE_EXAMPLES = examples(
    (
        "What does not comply?",
        "linarite policy state list --filter \"complianceState eq 'NonCompliant'\"",
    ),
    ("Counts:", "linarite policy state summarize"),
    ("As scripts for az do first:", "linarite policy state trigger-scan"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="policy",
        help="Policies: definitions, assignments, compliance.",
        no_args_is_help=True,
    )
    app.add_typer(_definitions(), epilog=DEFINITION_EXAMPLES)
    app.add_typer(_assignments(), epilog=ASSIGNMENT_EXAMPLES)
    app.add_typer(_states(), epilog=STATE_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)


def _definitions() -> typer.Typer:
    app = typer.Typer(
        name="definition",
        help="Definitions: list, show, create, delete.",
        no_args_is_help=True,
    )
    told = DEFINITION_EXAMPLES
    command(app, "list", definition.list_definitions, definition.Which, OutputFlags, epilog=told)
    command(app, "show", definition.show, NameFlags, OutputFlags, epilog=told)
    create = (NameFlags, definition.Create, OutputFlags)
    command(app, "create", definition.create, *create, epilog=told)
    command(app, "delete", definition.delete, NameFlags, epilog=told)
    return app


def _assignments() -> typer.Typer:
    app = typer.Typer(
        name="assignment",
        help="Assignments: list, show, create, delete.",
        no_args_is_help=True,
    )
    told = ASSIGNMENT_EXAMPLES
    command(app, "list", assignment.list_assignments, ScopeFlags, OutputFlags, epilog=told)
    command(app, "show", assignment.show, NameFlags, ScopeFlags, OutputFlags, epilog=told)
    create = (NameFlags, assignment.Create, ScopeFlags, OutputFlags)
    command(app, "create", assignment.create, *create, epilog=told)
    command(app, "delete", assignment.delete, NameFlags, ScopeFlags, epilog=told)
    return app


def _states() -> typer.Typer:
    app = typer.Typer(
        name="state",
        help="Compliance: list, summarize, trigger-scan.",
        no_args_is_help=True,
    )
    told = STATE_EXAMPLES
    queried = (state.FilterFlags, ScopeFlags, OutputFlags)
    command(app, "list", state.list_states, *queried, epilog=told)
    command(app, "summarize", state.summarize, *queried, epilog=told)
    command(app, "trigger-scan", state.trigger_scan, ScopeFlags, epilog=told)
    return app
