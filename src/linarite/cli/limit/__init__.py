"""`linarite limit …`: how much of what anybody may use."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.limit.acts import create, delete, list_limits, show, update
from linarite.cli.limit.flags import Bounds, LimitNamed, Subject, Where

EXAMPLES = examples(
    (
        "Everybody may use 100,000 tokens a day:",
        "linarite limit create people --each principal --tokens-per-day 100000",
    ),
    ("What is left, and of whom?", "linarite limit show people"),
)
CREATE_EXAMPLES = examples(
    (
        "A team's money, with warnings before it stops; a team is whatever bears its tag:",
        """linarite limit create search --of tag=team=search --cost-per-month 200 \\
  --warn-at 80 --warn-at 95""",
    ),
    (
        "Each application's key in all accounts together:",
        """linarite limit create keys --each applicationKey --subscription \\
  --tokens-per-minute 20000 --requests-per-minute 60""",
    ),
    (
        "One deployment, a few at a time:",
        "linarite limit create chat --of deployment=chat --concurrent-requests 4",
    ),
)
LIST_EXAMPLES = examples(
    ("Those of the account that settings declare:", "linarite limit list"),
    ("Those that span accounts too:", "linarite limit list --subscription"),
)
SHOW_EXAMPLES = examples(
    ("What it is, and what is left of it:", "linarite limit show people"),
    ("For a program:", "linarite limit show people -o json"),
)
UPDATE_EXAMPLES = examples(
    ("Give more; 0 takes a bound away:", "linarite limit update people --tokens-per-day 200000"),
)
DELETE_EXAMPLES = examples(
    ("Take it away:", "linarite limit delete people"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="limit",
        help="Limits on use, of tokens, requests and money: create, list, show, update, delete.",
        no_args_is_help=True,
    )
    command(
        app,
        "create",
        create,
        LimitNamed,
        Subject,
        Bounds,
        Where,
        OutputFlags,
        epilog=CREATE_EXAMPLES,
    )
    command(app, "list", list_limits, Where, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "show", show, LimitNamed, Where, OutputFlags, epilog=SHOW_EXAMPLES)
    command(app, "update", update, LimitNamed, Bounds, Where, OutputFlags, epilog=UPDATE_EXAMPLES)
    command(app, "delete", delete, LimitNamed, Where, epilog=DELETE_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
