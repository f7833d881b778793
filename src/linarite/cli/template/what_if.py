"""`linarite template what-if`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
import typer
from rich.console import Console
from rich.text import Text

from linarite.cli.arm.answers import parts
from linarite.cli.arm.flags import Output
from linarite.cli.arm.printed import print_data
from linarite.cli.template.place import asked_for

if TYPE_CHECKING:
    from linarite.cli.arm.flags import OutputFlags
    from linarite.cli.arm.server import Server
    from linarite.cli.template.file import TemplateFlags

MARKS = {
    "Create": ("+", "green"),
    "Modify": ("~", "yellow"),
    "Delete": ("-", "red"),
    "Unsupported": ("?", "magenta"),
    "NoChange": ("=", "dim"),
    "Ignore": ("*", "dim"),
}
"""as az marks them"""


async def what_if(server: Server, asked: TemplateFlags, shown: OutputFlags) -> None:
    """Tell what deploying a template would change. Nothing is changed."""
    answer = await asked_for(server, asked, "whatIf")
    if shown.output is not Output.TABLE:
        print_data(answer, shown.output)
        return
    changes = parts(answer["properties"], "changes")
    console = Console(highlight=False)
    for change in changes:
        for line in lines_of(change):
            if console.is_terminal:
                console.print(line, soft_wrap=True)
            else:
                typer.echo(line.plain)
    counts = Counter(str(change["changeType"]) for change in changes)
    told = ", ".join(f"{counts[kind]} {kind}" for kind in MARKS if counts[kind])
    typer.echo(f"Resources: {told or 'none'}.")


def lines_of(change: dict[str, Any]) -> list[Text]:
    """A resource's line, and one for each property that would change."""
    kind = str(change["changeType"])
    mark, style = MARKS.get(kind, ("?", ""))
    lines = [Text(f"{mark} {kind:<11} {change['resourceId']}", style=style)]
    if change.get("unsupportedReason"):
        lines.append(Text(f"    {change['unsupportedReason']}", style=style))
    for each in parts(change, "delta"):
        inner, inner_style = MARKS.get(str(each["propertyChangeType"]), ("?", ""))
        lines.append(Text(f"    {inner} {each['path']}: {_values(each)}", style=inner_style))
    return lines


def _values(delta: dict[str, Any]) -> str:
    told = [msgspec.json.encode(delta[key]).decode() for key in ("before", "after") if key in delta]
    return " → ".join(told)
