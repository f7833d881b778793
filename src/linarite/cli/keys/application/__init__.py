"""`linarite keys application …`: keys for single applications."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import AccountFlags, OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.keys.application.acts import create, delete, list_keys, regenerate, show
from linarite.cli.keys.application.flags import Create, KeyNamed

EXAMPLES = examples(
    (
        "Give an application a key of its own:",
        "linarite keys application create web --expires 90d --owner ada@example.org",
    ),
    ("Which are used, and until when do they hold?", "linarite keys application list"),
)
CREATE_EXAMPLES = examples(
    (
        "A key that ends after 90 days, for one deployment:",
        "linarite keys application create web --expires 90d --deployment gpt-4o",
    ),
    (
        "With another role, in another account, for a program:",
        """linarite keys application create ci -n team-a -o json \\
  --role 'Cognitive Services OpenAI Contributor'""",
    ),
)
LIST_EXAMPLES = examples(
    ("Those of the account that settings declare:", "linarite keys application list"),
)
SHOW_EXAMPLES = examples(
    ("Everything about one:", "linarite keys application show web -o yaml"),
)
REGENERATE_EXAMPLES = examples(
    ("A new key; the old one ends at once:", "linarite keys application regenerate web"),
)
DELETE_EXAMPLES = examples(
    ("Take it away:", "linarite keys application delete web"),
)


def add_to(keys: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="application",
        help="Keys for single applications: create, list, show, regenerate, delete.",
        no_args_is_help=True,
    )
    command(
        app,
        "create",
        create,
        KeyNamed,
        Create,
        AccountFlags,
        OutputFlags,
        epilog=CREATE_EXAMPLES,
    )
    command(app, "list", list_keys, AccountFlags, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "show", show, KeyNamed, AccountFlags, OutputFlags, epilog=SHOW_EXAMPLES)
    command(
        app,
        "regenerate",
        regenerate,
        KeyNamed,
        AccountFlags,
        OutputFlags,
        epilog=REGENERATE_EXAMPLES,
    )
    command(app, "delete", delete, KeyNamed, AccountFlags, epilog=DELETE_EXAMPLES)
    keys.add_typer(app, epilog=EXAMPLES)
