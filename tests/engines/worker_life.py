"""Engines that run in a process of their own: what their tests share."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

LONG_S = 60.0
"""how long a busy machine may take for what takes moments"""
_ROOT = Path(__file__).parents[2]


def alive(pid: int) -> bool:
    """Whether a process runs. A zombie has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


async def until_gone(pid: int) -> None:
    """Return once there is no such process."""
    async with asyncio.timeout(LONG_S):
        while alive(pid):  # noqa: ASYNC110 - nobody tells when a stranger's process ends
            await asyncio.sleep(0.05)


async def assert_dies_with_its_parent(engine: str, model: Path, scratch: Path) -> None:
    """Start an engine in a process, kill that, and see the engine's own process end."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.engines.parent_to_kill"),
        *(engine, str(model), str(scratch)),
        cwd=_ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(LONG_S):
        pid = int(await parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    await parent.wait()
    await until_gone(pid)
