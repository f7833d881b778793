"""Answers on the screen: tables for people, JSON and YAML for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from linarite.cli.arm.flags import Output
from linarite.cli.arm.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = Callable[[dict[str, Any]], dict[str, object]]

WIDTH_WITHOUT_TERMINAL = 2000
STATE_STYLES = {"Succeeded": "green", "Failed": "red", "Canceled": "red"}
RUNNING_STATES = frozenset(("Accepted", "Creating", "Updating", "Deleting", "Running"))


def print_many(
    items: Sequence[dict[str, Any]], row: Row, output: Output, *, none: str = "None."
) -> None:
    """Print a list; in a table `row` says which columns, and `none` stands for no lines."""
    if output is not Output.TABLE:
        print_data(items, output)
        return
    if not items:
        say(none)
        return
    rows = [row(item) for item in items]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        numbers = all(type(each[name]) in {int, float} for each in rows)
        table.add_column(name.upper(), justify="right" if numbers else "left", overflow="fold")
    for each in rows:
        table.add_row(*(cell(value) for value in each.values()))
    print_table(table)


def print_one(item: dict[str, Any], facts: Row, output: Output) -> None:
    """Print one thing; in a table `facts` says which of it, empty ones left out."""
    if output is not Output.TABLE:
        print_data(item, output)
        return
    table = Table.grid("", "", padding=(0, 2, 0, 0))
    for name, value in facts(item).items():
        if value not in (None, "", [], {}):
            table.add_row(Text(name, style="dim"), cell(value))
    print_table(table)


def print_data(value: object, output: Output) -> None:
    """Print it whole, for programs."""
    if output is Output.YAML:
        typer.echo(yaml_text(value), nl=False)
    else:
        typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))


def say(message: str) -> None:
    """Tell the person something that is no part of the answer."""
    typer.echo(message, err=True)


def cell(value: object) -> Text:
    """A value as a table shows it; never read as markup."""
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, dict | list):
        return Text(msgspec.json.encode(value).decode())
    if isinstance(value, int | float):
        return Text(f"{value:,g}" if isinstance(value, float) else f"{value:,}")
    text = "" if value is None else str(value)
    style = "yellow" if text in RUNNING_STATES else STATE_STYLES.get(text, "")
    return Text(text, style=style)


def print_table(table: Table) -> None:
    """Print it; folded and coloured on a terminal only. A pipe gets every line whole."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    console.width = WIDTH_WITHOUT_TERMINAL
    with console.capture() as captured:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
