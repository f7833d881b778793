"""What the command does: it asks the server's control plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from linarite.cli.arm.answers import part
from linarite.cli.arm.completion import account_names
from linarite.cli.arm.flags import Output
from linarite.cli.arm.naming import account_id
from linarite.cli.arm.printed import print_many, say
from linarite.domain.held_data import DATA_REPORT_TYPE

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server

VERSION = "2026-11-01"
STEP = 1024
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, kw_only=True)
class Which:
    """Which account."""

    account: Annotated[
        str | None,
        typer.Argument(
            help="Account.",
            show_default="the one that settings declare",
            autocompletion=account_names,
        ),
    ] = None
    resource_group: Annotated[
        str | None,
        typer.Option("--resource-group", "-g", help="Its resource group.", show_default="any"),
    ] = None


async def report(server: Server, which: Which, shown: OutputFlags) -> None:
    """Tell what is held of an account: of each kind how much, since when and until when."""
    account = await account_id(server, which.account, which.resource_group)
    path = f"{account}/providers/{DATA_REPORT_TYPE}"
    told = (await server.send("GET", path, version=VERSION)).body
    print_many(told["value"], _row, shown.output, none="Nothing is held of this account.")
    if shown.output is Output.TABLE:
        say(_storage(told["storage"]))


def _storage(use: dict[str, Any]) -> str:
    """What of it applications store, what they may, and what the disk has left."""
    used = f"{_size(use['bytes'])} stored by applications"
    most = f", of {_size(use['bytesMax'])} ({use['setting']})" if use["bytesMax"] else ""
    least = f", of which {_size(use['diskFreeBytesMin'])} stay" if use["diskFreeBytesMin"] else ""
    return f"{used}{most}; {_size(use['diskFreeBytes'])} free on the disk{least}."


def _row(held: dict[str, Any]) -> dict[str, object]:
    said = part(held, "properties")
    return {
        "kind": said["kind"],
        "count": said["count"],
        "size": _size(said["bytes"]),
        "oldest": _day(said["oldest"]),
        "newest": _day(said["newest"]),
        "ends": _ends(said),
        "without end": said["withoutEnd"],
        "in": said["place"],
    }


def _ends(said: dict[str, Any]) -> str:
    first, last = _day(said["firstEnds"]), _day(said["lastEnds"])
    return first if first == last else f"{first} … {last}"


def _day(time: object) -> str:
    return str(time)[:10] if time else ""


def _size(count: object) -> str:
    """Bytes for people; nothing where nobody counts them."""
    if not isinstance(count, int):
        return ""
    size, unit = float(count), 0
    while size >= STEP and unit < len(UNITS) - 1:
        size, unit = size / STEP, unit + 1
    return f"{size:.0f} {UNITS[unit]}" if unit == 0 else f"{size:.1f} {UNITS[unit]}"
