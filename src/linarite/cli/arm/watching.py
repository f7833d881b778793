"""Following a long-running operation to its end, with a bar on a terminal.

Source: learn.microsoft.com, "Track asynchronous Azure operations".
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from linarite.cli.arm.answers import part
from linarite.cli.arm.printed import say
from linarite.cli.arm.refusals import failed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from linarite.cli.arm.server import Reply, Server

ENDED = frozenset(("Succeeded", "Failed", "Canceled"))
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
GROWTH = 1.5


def operation_link(reply: Reply) -> str | None:
    """Where an answer says that its operation can be followed; None when it is done.

    `Location` of this service leads to the result; its status lies beside it, by the same id.
    """
    link = reply.headers.get("azure-asyncoperation")
    if link is None and (location := reply.headers.get("location")):
        link = location.replace("/operationResults/", "/operationStatuses/")
    return link


def say_operation(link: str) -> None:
    """Tell whom it may interest which operation carries a change out."""
    say(f"Carried out in the background; to wait for it: {wait_command(link)}")


def wait_command(link: str) -> str:
    """The command that waits for an operation: its id stands at the link's end."""
    return f"linarite operation wait {link.partition('?')[0].rpartition('/')[2]}"


async def finish(server: Server, reply: Reply, title: str) -> None:
    """Wait until the operation behind an answer has ended. Raises ServerRefused if it failed."""
    link = operation_link(reply)
    if link is not None:
        await follow(server, link, title)


async def follow(server: Server, link: str, title: str) -> dict[str, Any]:
    """Wait until an operation has ended, and show how far it is; its last status.

    Raises ServerRefused when it failed or was cancelled.
    """
    pause_s = FIRST_PAUSE_S
    with bar(title) as show:
        while True:
            reply = await server.follow(link)
            status: dict[str, Any] = reply.body
            if status["status"] in ENDED:
                break
            show(status)
            try:
                await asyncio.sleep(pause_s)
            except asyncio.CancelledError:
                say(f"It goes on all the same; to wait for it: {wait_command(link)}")
                raise
            pause_s = min(pause_s * GROWTH, LONGEST_PAUSE_S)
    require_success(status, title)
    return status


def require_success(status: dict[str, Any], title: str) -> None:
    """Let an operation pass that has succeeded. Raises ServerRefused."""
    if status["status"] != "Succeeded":
        error = part(status, "error") or {
            "code": status["status"],
            "message": f"{title} has ended as {status['status']}.",
        }
        raise failed(error)


@contextmanager
def bar(title: str) -> Generator[Callable[[dict[str, Any]], None]]:
    """A bar on a terminal, for as long as the operation runs; nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}", style="bold"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[doing]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None, doing="")

        def show(status: dict[str, Any]) -> None:
            percent = status.get("percentComplete")
            doing = part(status, "properties").get("message") or ""
            if percent is None:
                progress.update(task, doing=str(doing))
            else:
                progress.update(task, completed=float(percent), total=100, doing=str(doing))

        yield show
