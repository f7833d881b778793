"""`linarite private-endpoint …`: who asks for a private way to an account, and who gets it."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.private_endpoint.decide import DecisionFlags, approve, reject
from linarite.cli.private_endpoint.flags import NamedFlags, WhichFlags
from linarite.cli.private_endpoint.list import list_endpoints
from linarite.cli.private_endpoint.show import show

EXAMPLES = examples(
    (
        "Who has one, or asks for one?",
        "linarite private-endpoint list",
    ),
    (
        "Let one in that is pending:",
        "linarite private-endpoint approve pe --description 'for team blue'",
    ),
    ("Shut one out, with all that is open:", "linarite private-endpoint reject pe"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="private-endpoint",
        help="Private endpoints to accounts: list, show, approve, reject.",
        no_args_is_help=True,
    )
    command(
        app,
        "list",
        list_endpoints,
        WhichFlags,
        OutputFlags,
        epilog=examples(
            ("Of all accounts:", "linarite private-endpoint list"),
            ("What waits for an answer?", "linarite private-endpoint list --state pending"),
            ("Of one account:", "linarite private-endpoint list --account team-a -o json"),
        ),
    )
    command(
        app,
        "show",
        show,
        NamedFlags,
        OutputFlags,
        epilog=examples(
            ("Its address and its names:", "linarite private-endpoint show pe"),
            ("Of several of that name:", "linarite private-endpoint show pe --account team-a"),
        ),
    )
    command(
        app,
        "approve",
        approve,
        NamedFlags,
        DecisionFlags,
        OutputFlags,
        epilog=examples(("From now on it is served:", "linarite private-endpoint approve pe")),
    )
    command(
        app,
        "reject",
        reject,
        NamedFlags,
        DecisionFlags,
        OutputFlags,
        epilog=examples(
            (
                "Say why; whoever asked reads it:",
                "linarite private-endpoint reject pe --description 'ask the platform team'",
            ),
        ),
    )
    root.add_typer(app, epilog=EXAMPLES)
