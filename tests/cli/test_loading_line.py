from __future__ import annotations

import asyncio
import io

import pytest
from rich.console import Console

from linarite.cli.loading_line import loading_line, show_loading
from linarite.cli.serving_file import ServedDeployment


def deployment(name: str, state: str, detail: str = "") -> ServedDeployment:
    """A deployment in a state."""
    return ServedDeployment(name, name, state, detail, [])


def test_the_line_names_what_is_still_coming() -> None:
    """With how far it is, where that is known."""
    served = [deployment("a", "Ready"), deployment("b", "Starting", "40 %")]
    assert loading_line(served) == "Coming up: b (40 %)"
    assert loading_line([*served, deployment("c", "Failed")]) == "Coming up: b (40 %)"
    assert loading_line([deployment("d", "Starting", "loading d")]) == "Coming up: loading d"
    assert loading_line([deployment("a", "Ready")]) == ""


@pytest.mark.anyio
async def test_it_is_drawn_until_all_have_come_and_then_wiped() -> None:
    """Each change is drawn once, in one line, and nothing of it stays."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80)
    settled = asyncio.get_running_loop().create_future()
    looks = 0

    def look() -> list[ServedDeployment]:
        nonlocal looks
        looks += 1
        if looks == 3:
            settled.set_result(None)
        return [deployment("m", "Starting", "begun" if looks == 1 else "almost")]

    await asyncio.wait_for(show_loading(settled, look, console=console), 60)
    assert out.getvalue().count("Coming up: m (begun)") == 1
    assert out.getvalue().count("Coming up: m (almost)") == 1
    assert "\n" not in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[2K")


@pytest.mark.anyio
async def test_elsewhere_than_on_a_terminal_it_only_waits() -> None:
    """Logs are not filled with progress."""
    out = io.StringIO()

    async def settled() -> None:
        await asyncio.sleep(0)

    await show_loading(settled(), lambda: [deployment("m", "Starting")], console=Console(file=out))
    assert out.getvalue() == ""


@pytest.mark.anyio
async def test_leaving_it_stops_the_waiting() -> None:
    """A server that is stopped while models load leaves nothing behind."""
    cancelled = asyncio.Event()

    async def settled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    console = Console(file=io.StringIO(), force_terminal=True)
    shown = asyncio.create_task(show_loading(settled(), list, console=console))
    await asyncio.sleep(0)
    shown.cancel()
    with pytest.raises(asyncio.CancelledError):
        await shown
    await asyncio.wait_for(cancelled.wait(), 60)
