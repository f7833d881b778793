"""`linarite knowledge …`: documents in a folder, kept in a vector store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from linarite.cli.arm.flags import OutputFlags, flattened
from linarite.cli.data_plane.flags import AccountFlags, asking
from linarite.cli.help_texts import examples
from linarite.cli.knowledge.service import StoreService
from linarite.cli.knowledge.sources import SourceFlags
from linarite.cli.knowledge.sync import SyncFlags, sync

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.cli.commands import Commands
    from linarite.cli.data_plane.client import DataPlane

EXAMPLES = examples(
    ("Have a vector store hold what a folder holds:", "linarite knowledge sync docs --store docs"),
)
SYNC_EXAMPLES = examples(
    ("What would be done?", "linarite knowledge sync handbook --store handbook --dry-run"),
    ("Do it, and again whenever a file changes:", "linarite knowledge sync handbook --watch"),
    (
        "Some files alone:",
        "linarite knowledge sync . --store docs --include '*.md' --exclude 'drafts/*'",
    ),
    (
        "Another account, Azure's as well:",
        "linarite knowledge sync handbook --endpoint https://NAME.openai.azure.com --key env:KEY",
    ),
    (
        "A bucket of S3, or of a store that speaks like it:",
        "linarite knowledge sync s3://handbook --access-key-id env:ID --secret-access-key env:KEY",
    ),
    (
        "A container of Azure Blob:",
        "linarite knowledge sync https://NAME.blob.core.windows.net/handbook --sas env:SAS",
    ),
    (
        "Then ask, as docs/knowledge.md shows:",
        '"data_sources": [{"type": "azure_search", "parameters": {"index_name": "handbook", …',
    ),
)


def add_to(root: typer.Typer) -> None:
    """Add the commands."""
    app = typer.Typer(
        name="knowledge",
        help="Documents that chat is over: sync a folder with a vector store.",
        no_args_is_help=True,
    )
    app.command("sync", epilog=SYNC_EXAMPLES)(
        flattened(asking(sync, _service), SyncFlags, SourceFlags, OutputFlags, AccountFlags)
    )
    root.add_typer(app, epilog=EXAMPLES)


def _service(
    account: DataPlane, commands: Commands
) -> tuple[StoreService, Callable[[str], str | None]]:
    """What a sync begins with."""
    return StoreService(account), commands.variable
