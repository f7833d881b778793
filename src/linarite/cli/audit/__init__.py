"""`linarite audit …`: the log of who did what, and the proof that nobody has touched it."""

from __future__ import annotations

import typer

from linarite.cli.audit import verify
from linarite.cli.help_texts import examples

EXAMPLES = examples(("Has anybody changed the audit log?", "linarite audit verify"))


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(name="audit", help="Audit log: verify.", no_args_is_help=True)
    verify.add_to(app)
    root.add_typer(app, epilog=EXAMPLES)
