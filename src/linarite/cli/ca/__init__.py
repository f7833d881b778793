"""`linarite ca …`: the local certificate authority, and what makes programs trust it."""

from __future__ import annotations

import typer

from linarite.cli.ca.env import env
from linarite.cli.ca.issue import issue
from linarite.cli.ca.renew import renew
from linarite.cli.ca.show import path, show
from linarite.cli.ca.trust import trust
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("Have the programs of this shell trust it:", """eval "$(linarite ca env)" """.rstrip()),
    ("How do others?", "linarite ca trust"),
    (
        "A certificate for a client that shows one:",
        "linarite ca issue --client robot --to robot",
    ),
)
SHOW_EXAMPLES = examples(("What may it certify, and until when?", "linarite ca show"))
PATH_EXAMPLES = examples(("Which file must others trust?", "linarite ca path"))
ENV_EXAMPLES = examples(
    ("In this shell:", """eval "$(linarite ca env)" """.rstrip()),
    ("For a container:", "linarite ca env --no-export > linarite.env"),
)
TRUST_EXAMPLES = examples(("Every way, with the paths of this machine:", "linarite ca trust"))
ISSUE_EXAMPLES = examples(
    (
        "For a proxy on another machine, with its name and address:",
        "linarite ca issue gate.linarite.internal 10.0.0.4 --to gate",
    ),
    ("For a client:", "linarite ca issue --client robot --to robot"),
)
RENEW_EXAMPLES = examples(
    ("Ten years more, and for what settings say now:", "linarite ca renew"),
    ("The key may be known to somebody:", "linarite ca renew --new-key"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="ca",
        help="The local certificate authority: show, path, env, trust, issue, renew.",
        no_args_is_help=True,
    )
    app.command("show", epilog=SHOW_EXAMPLES)(show)
    app.command("path", epilog=PATH_EXAMPLES)(path)
    app.command("env", epilog=ENV_EXAMPLES)(env)
    app.command("trust", epilog=TRUST_EXAMPLES)(trust)
    app.command("issue", epilog=ISSUE_EXAMPLES)(issue)
    app.command("renew", epilog=RENEW_EXAMPLES)(renew)
    root.add_typer(app, epilog=EXAMPLES)
