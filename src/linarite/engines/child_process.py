"""A process that an engine runs in: started with nothing inherited, heard line by line, ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_LINE_BYTES_MAX = 1024 * 1024
_TERMINATE_S = 5.0
"""how long a process that was asked to end may take, before it is killed"""


class ChildProcess:
    """One started process. Its lines go to the two listeners as they come.

    Standard input stays open until the process has ended: a child that reads its end knows that
    its parent is gone.
    """

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        on_output: Callable[[str], None],
        on_error_line: Callable[[str], None],
    ) -> None:
        self._process = process
        self._output = asyncio.create_task(_pump(process.stdout, on_output))
        self._errors = asyncio.create_task(_pump(process.stderr, on_error_line))

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """It has not ended, as far as is known."""
        return self._process.returncode is None

    async def send(self, line: bytes) -> None:
        """Write a line to its standard input. What a dead process cannot read is lost."""
        stdin = self._process.stdin
        if stdin is None:
            return
        with contextlib.suppress(ConnectionError):
            stdin.write(line + b"\n")
            await stdin.drain()

    async def wait(self) -> int:
        """Wait for its end and for its last lines; return its code, negative for a signal."""
        code = await self._process.wait()
        await asyncio.gather(self._output, self._errors)
        return code

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def end(self) -> None:
        """Ask it to end, then make it, and return once it is gone. Idempotent."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(_TERMINATE_S):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
        finally:
            # Also when we are cancelled: nothing may outlive us.
            self.kill()
        await self.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


async def start_child(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    on_output: Callable[[str], None],
    on_error_line: Callable[[str], None],
) -> ChildProcess:
    """Start a process in `folder` with just this environment. Raises OSError."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
        cwd=folder,
        limit=_LINE_BYTES_MAX,
    )
    return ChildProcess(process, on_output, on_error_line)


def describe_exit(code: int) -> str:
    """Say in words how a process ended."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


async def _pump(stream: asyncio.StreamReader | None, listener: Callable[[str], None]) -> None:
    """Hand on line after line; one that is too long comes in pieces."""
    while stream is not None:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError as rest:
            if rest.partial:
                listener(rest.partial.decode("utf-8", "replace").rstrip())
            return
        except asyncio.LimitOverrunError as overrun:
            line = await stream.readexactly(overrun.consumed)
        listener(line.decode("utf-8", "replace").rstrip())
