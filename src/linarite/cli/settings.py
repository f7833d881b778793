"""`linarite settings`: what is set, and where that was said."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from linarite.cli.commands import Commands, SettingShown

EXAMPLES = examples(
    ("Everything that is in force, and where it comes from:", "linarite settings"),
    ("What a file would change:", "linarite settings --config linarite.toml"),
    ("For programs:", "linarite settings --json"),
    ("The reference page with types and defaults:", "linarite settings --markdown"),
)


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    root.command("settings", epilog=EXAMPLES)(settings)


def settings(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file. Without it: linarite.toml here or in the data folder."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference of all settings.")
    ] = False,
) -> None:
    """Print all settings: their values, where those come from, what they mean."""
    commands: Commands = context.obj
    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown exclude each other: choose one.")
    if as_markdown:
        typer.echo(commands.settings_markdown(), nl=False)
        return
    shown = commands.settings_shown(config)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(shown), indent=2))
        return
    console = Console()
    if console.is_terminal:
        console.print(table_of(shown))
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines_of(shown))


def table_of(shown: list[SettingShown]) -> Table:
    """For a person: one row a setting; what differs from the default stands out."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("setting", "value", "from", "meaning"):
        table.add_column(title, overflow="fold")
    for setting in shown:
        table.add_row(
            setting.key,
            written(setting),
            setting.origin,
            setting.description,
            style="dim" if setting.origin == "default" else "bold",
        )
    return table


def lines_of(shown: list[SettingShown]) -> list[str]:
    """For other programs: `key = value`, a tab, the origin."""
    return [f"{setting.key} = {written(setting)}\t{setting.origin}" for setting in shown]


def written(setting: SettingShown) -> str:
    """The value as JSON, which for all but tables is also how the file has it."""
    return msgspec.json.encode(setting.value).decode()
