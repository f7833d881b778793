"""`linarite audit …`: the log of who did what, and the proof that nobody has touched it."""

from __future__ import annotations

import typer

from linarite.cli.arm.flags import OutputFlags, command
from linarite.cli.audit import export, verify
from linarite.cli.audit.anchor import print_anchor
from linarite.cli.audit.list import ListFlags, list_events
from linarite.cli.help_texts import examples

EXAMPLES = examples(
    ("Has anybody changed the audit log?", "linarite audit verify"),
    ("Who was refused?", "linarite audit list --category DataPlaneRefusal"),
)
LIST_EXAMPLES = examples(
    ("The newest fifty events:", "linarite audit list"),
    ("Who read or replaced keys?", "linarite audit list --category ControlPlane -o json"),
)
ANCHOR_EXAMPLES = examples(
    ("Once a day, on another machine's disk:", "linarite audit anchor >> anchors.jsonl"),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="audit", help="Audit log: list, verify, export, anchor.", no_args_is_help=True
    )
    command(app, "list", list_events, ListFlags, OutputFlags, epilog=LIST_EXAMPLES)
    command(app, "anchor", print_anchor, epilog=ANCHOR_EXAMPLES)
    verify.add_to(app)
    export.add_to(app)
    root.add_typer(app, epilog=EXAMPLES)
