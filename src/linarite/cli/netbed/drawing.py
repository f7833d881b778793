"""The map of a demo: hosts, links, and what each side is told when it knocks."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec
from rich.align import Align
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from linarite.cli.netbed.demo import ACCOUNT, MODEL, PORT, SIDES, command_on, home_of
from linarite.cli.netbed.doors import WAIT_S, Answer, Wish
from linarite.cli.netbed.layout import PUBLIC, REGIONS, SERVER, bare
from linarite.cli.serving_file import API_VERSION, SERVING_FILE, read_serving_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.cli.netbed.layout import Network
    from linarite.cli.netbed.namespaces import Bed

KNOCK_S = 20.0
SIDE_WIDTH, SERVER_WIDTH, REGION_WIDTH = 56, 34, 26
PANEL_LINES = 8
MODELS_PATH = f"/openai/models?api-version={API_VERSION}"


def drawn(bed: Bed) -> Table:
    """The map as it is now: every client's host has knocked at the server's doors."""
    key = read_serving_file(home_of(bed, SERVER) / SERVING_FILE).api_key

    def ask_from(side: Network) -> list[Answer]:
        return _knocked(bed, side.name, Wish(doors_of(side), MODELS_PATH, key))

    with ThreadPoolExecutor(2) as together:
        sides = list(together.map(ask_from, SIDES))
    regions = [f"http://{network.address}:{PORT}" for network in REGIONS]
    models = _knocked(bed, SERVER, Wish(regions, "/healthz"))
    grid = Table.grid(padding=0)
    grid.add_row(
        Group(*map(_side_panel, SIDES, sides)),
        _links(len(SIDES), "──"),
        _server_panel(),
        _links(len(REGIONS), "──"),
        Group(*map(_region_panel, REGIONS, models)),
    )
    return grid


def doors_of(side: Network) -> list[str]:
    """Where the server can be called from a side: in its own network, and at its public address."""
    addresses = dict.fromkeys((side.server_address, PUBLIC.server_address))
    return [f"http://{address}:{PORT}" for address in addresses]


def _knocked(bed: Bed, host: str, wish: Wish) -> list[Answer]:
    done = subprocess.run(  # noqa: S603 - our own program
        command_on(bed, host, [sys.executable, "-m", "linarite.cli.netbed.knock"]),
        input=msgspec.json.encode(wish),
        capture_output=True,
        timeout=KNOCK_S + WAIT_S,
        check=False,
    )
    if done.returncode:
        return [Answer(endpoint, says="could not knock") for endpoint in wish.endpoints]
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Answer])


def _side_panel(side: Network, answers: Sequence[Answer]) -> Panel:
    lines = [Text(", ".join(map(bare, side.host)), style="bold")]
    lines.append(Text(side.says, style="dim"))
    lines += map(_door, answers)
    return _panel(Group(*lines), side.name, SIDE_WIDTH)


def _door(answer: Answer) -> Text:
    name = answer.endpoint.removeprefix("http://")
    if answer.served:
        return Text.assemble(f"{name} ", ("served", "green"))
    status = f"{answer.status} " if answer.status else ""
    return Text.assemble(f"{name} ", (f"{status}{answer.says}".strip(), "red"))


def _server_panel() -> Align:
    about = Group(
        Text(f"account {ACCOUNT}", style="bold"),
        Text(f"deployment {MODEL}"),
        Text(f"DataZoneStandard in {REGIONS[0].data_zone}"),
        Text(""),
        *(
            Text(f"{network.server_address}:{PORT} {network.name}", style="dim")
            for network in SIDES
        ),
    )
    return Align(
        Panel(about, title=SERVER, width=SERVER_WIDTH, border_style="cyan"),
        vertical="middle",
        height=PANEL_LINES * len(SIDES),
    )


def _region_panel(region: Network, answer: Answer) -> Panel:
    state = ("models there", "green") if answer.served else ("no models", "red")
    lines = Group(
        Text(region.address, style="bold"),
        Text(region.says, style="dim"),
        Text.assemble(state),
    )
    return _panel(lines, region.name, REGION_WIDTH)


def _panel(content: Group, title: str, width: int) -> Panel:
    return Panel(content, title=title, width=width, height=PANEL_LINES)


def _links(count: int, drawn_as: str) -> Text:
    before, after = PANEL_LINES // 2, PANEL_LINES - PANEL_LINES // 2 - 1
    return Text("\n".join(("\n" * before + drawn_as + "\n" * after) for _ in range(count)))
