"""`linarite netbed …`: separate hosts on one machine, to see who reaches what."""

from __future__ import annotations

import typer

from linarite.cli.help_texts import examples
from linarite.cli.netbed.down import down
from linarite.cli.netbed.exec import execute
from linarite.cli.netbed.status import status
from linarite.cli.netbed.up import up

CLOSE = (
    "linarite netbed exec server -- "
    "linarite account update demo --set properties.publicNetworkAccess=Disabled"
)
EXAMPLES = examples(
    ("Make the hosts, with a server among them, and draw them:", "linarite netbed up"),
    (
        "From another terminal: close the account's public side, and look again:",
        CLOSE,
    ),
    ("Who is served now, and who is refused with what?", "linarite netbed status"),
)
UP_EXAMPLES = examples(("Make the hosts; Ctrl-C removes them:", "linarite netbed up"))
EXEC_EXAMPLES = examples(
    (
        "Ask the server from the application's subnet, as its user would:",
        "linarite netbed exec application -- python my_application.py",
    ),
    ("A shell at the partner's:", "linarite netbed exec partner -- bash"),
    (
        "Manage the server, which only its own host reaches:",
        "linarite netbed exec server -- linarite account list",
    ),
    ("Watch a link:", "linarite netbed exec server -- tcpdump -ni eastus"),
)
STATUS_EXAMPLES = examples(("Draw the hosts as they are now:", "linarite netbed status"))
DOWN_EXAMPLES = examples(("End the demo from another terminal:", "linarite netbed down"))
EXEC_CONTEXT = {"allow_interspersed_args": False}
"""options after the host belong to the command that runs there"""


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="netbed",
        help="Separate hosts on this machine (Linux, root): up, exec, status, down.",
        no_args_is_help=True,
    )
    app.command("up", epilog=UP_EXAMPLES)(up)
    app.command("exec", epilog=EXEC_EXAMPLES, context_settings=EXEC_CONTEXT)(execute)
    app.command("status", epilog=STATUS_EXAMPLES)(status)
    app.command("down", epilog=DOWN_EXAMPLES)(down)
    root.add_typer(app, epilog=EXAMPLES)
