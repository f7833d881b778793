"""Runs the child process that brings a model; its one way out is a proxy that keeps the rules."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from linarite.controls.egress.way_out import WayOut
from linarite.domain.dial import Errand
from linarite.domain.errors import LinariteError
from linarite.hosting.models.fetch_child import FetchOrder, Told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from linarite.domain.dial import Dialer
    from linarite.hosting.models.progress import Progress

_LINE_BYTES_MAX = 1024 * 1024


class FetchFailed(LinariteError):
    """It could not be brought; code and message are those of the child."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class ChildPlace:
    """Where the child process runs."""

    folder: Path
    environment: Callable[[str], Mapping[str, str]]
    """all that it is told, given the proxy's URL"""


async def run_fetch(
    order: FetchOrder, dialer: Dialer, place: ChildPlace, progress: Progress
) -> Told:
    """Have a child process bring what is ordered; what it told last. Raises FetchFailed."""
    async with WayOut(dialer, Errand("models")) as way:
        told = await _run(order, place, way.url, progress)
    if not told.done:
        message = told.message or "the process that fetched it ended before it was done"
        if way.refused is not None:
            message = f"{message} {way.refused.message}"
        raise FetchFailed(told.code or "ModelUnavailable", message)
    return told


async def _run(order: FetchOrder, place: ChildPlace, proxy: str, progress: Progress) -> Told:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "linarite.hosting.models.fetch_child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(place.environment(proxy)),
        cwd=place.folder,
        limit=_LINE_BYTES_MAX,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - asked for above
    assert process.stdout is not None  # noqa: S101 - the same
    last = Told()
    try:
        process.stdin.write(msgspec.json.encode(order) + b"\n")
        async for line in process.stdout:
            last = msgspec.json.decode(line, type=Told)
            if last.step is not None:
                progress(last.step)
        await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdin.close()
        await process.wait()
    return last


def through(proxy: str) -> dict[str, str]:
    """The variables that lead pip and the libraries of hub and registry through a proxy."""
    return {
        "HTTP_PROXY": proxy,
        "HTTPS_PROXY": proxy,
        "http_proxy": proxy,
        "https_proxy": proxy,
        "NO_PROXY": "",
        "HF_HUB_DISABLE_XET": "1",  # a second protocol, which knows no proxy
    }
