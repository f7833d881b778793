"""`linarite explain`: why a request was answered as it was, and what would have to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from linarite.cli.account.flags import DECLARED
from linarite.cli.arm.completion import account_names
from linarite.cli.arm.flags import Output, OutputFlags, command
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import cell, print_data, print_table
from linarite.cli.help_texts import examples

if TYPE_CHECKING:
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
EXAMPLES = examples(
    (
        "By the apim-request-id of an answer:",
        "linarite explain 01a215eb-7fba-4ac5-a0b0-45fc9bac1cba",
    ),
    (
        "Would this address reach the account?",
        "linarite explain --from 203.0.113.9 --account team-a",
    ),
    ("For programs:", "linarite explain 01a215eb-7fba-4ac5-a0b0-45fc9bac1cba --output json"),
)
STYLES = {"passed": "green", "refused": "bold red", "not reached": "dim", "none in force": "dim"}


@dataclass(frozen=True, kw_only=True)
class ExplainFlags:
    """Which request, or which address."""

    request_id: Annotated[
        str | None,
        typer.Argument(
            help="The answer's apim-request-id, or x-ms-request-id of the control plane.",
            show_default=False,
        ),
    ] = None
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Instead of a request: an IP address, and what network rules make of it.",
        ),
    ] = None
    account: Annotated[
        str | None,
        typer.Option(
            help="With --from: the account.", show_default=DECLARED, autocompletion=account_names
        ),
    ] = None


def add_to(root: typer.Typer) -> None:
    """Add the command."""
    command(root, "explain", explain, ExplainFlags, OutputFlags, epilog=EXAMPLES)


async def explain(server: Server, asked: ExplainFlags, shown: OutputFlags) -> None:
    """Say what decided a request, or would decide one, and what would have to change."""
    if bool(asked.request_id) == bool(asked.source):
        raise typer.BadParameter("Name a request, or an address with --from.")
    if asked.source:
        await explain_reach(server, asked, shown)
        return
    path = f"/providers/Linarite.Operations/requests/{asked.request_id}/explanation"
    told = (await server.send("GET", path, version=VERSION)).body
    if shown.output is not Output.TABLE:
        print_data(told, shown.output)
        return
    print_table(facts_table(told))
    print_table(steps_table(told["steps"]))
    for line in told["wouldHaveToChange"]:
        typer.echo(f"→ {line}")


async def explain_reach(server: Server, asked: ExplainFlags, shown: OutputFlags) -> None:
    """Say whether an address would reach an account, before any credential is looked at."""
    account = await account_id(server, asked.account, None)
    path = f"{account}/providers/Linarite.Operations/reachability"
    query = {"address": asked.source or ""}
    told = (await server.send("GET", path, version=VERSION, query=query)).body
    if shown.output is not Output.TABLE:
        print_data(told, shown.output)
        return
    print_table(steps_table([told["publicSide"]]))
    for endpoint in told["privateEndpoints"]:
        where = "in the address's own network" if endpoint["sameNetwork"] else "in another network"
        typer.echo(f"private endpoint {endpoint['address']} ({where}): {endpoint['id']}")
    for line in told["wouldHaveToChange"]:
        typer.echo(f"→ {line}")


def facts_table(told: dict[str, Any]) -> Table:
    """What was asked and answered."""
    table = Table.grid("", "", padding=(0, 2, 0, 0))
    for part in ("asked", "answer"):
        for name, value in told[part].items():
            table.add_row(Text(f"{part}.{name}", style="dim"), cell(value))
    return table


def steps_table(steps: list[dict[str, Any]]) -> Table:
    """The controls in their order."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("CONTROL", "OUTCOME", "DECIDED BY", "WHY"):
        table.add_column(title, overflow="fold")
    for step in steps:
        outcome = Text(step["outcome"], style=STYLES.get(step["outcome"], ""))
        decided_by, why = Text(step.get("decidedBy", "")), Text(step.get("why", ""))
        table.add_row(Text(step["control"]), outcome, decided_by, why)
    return table
