"""`linarite webhook …`: what was told to webhooks, and what could not be."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.help_texts import examples
from linarite.cli.webhook.deliveries import DeliveryFlags, list_deliveries
from linarite.cli.webhook.send_again import AgainFlags, send_again

EXAMPLES = examples(
    ("What was told, and what waits?", "linarite webhook deliveries"),
    ("What was given up?", "linarite webhook deliveries --state dead"),
)
AGAIN_EXAMPLES = examples(
    ("Once the receiver is there again:", "linarite webhook send-again msg_2f1c6b0b7a8d4d1f"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="webhook", help="Deliveries to webhooks: deliveries, send-again.", no_args_is_help=True
    )
    command(app, "deliveries", list_deliveries, DeliveryFlags, OutputFlags, epilog=EXAMPLES)
    command(app, "send-again", send_again, AgainFlags, OutputFlags, epilog=AGAIN_EXAMPLES)
    root.add_typer(app, epilog=EXAMPLES)
