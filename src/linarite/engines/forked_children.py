"""Processes for one thing each, from the gateway's side: one is started, the others are its forks.

To start Python and load what they need takes thirty times as long as to fork a process that has
done so. The one that is forked has seen nothing of what they work on, so that none leaves anything
to the next. Their side is `worker_process.forking`.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

IDLE_S = 60.0
"""how long the one that is forked is kept without work"""
LOST_S = 5.0
"""how long one that says nothing more is waited for"""
READ_BYTES = 256 * 1024


class Finished(NamedTuple):
    """How a process ended that was handed some bytes."""

    code: int
    """negative for a signal; -9 also where it was ended for what follows"""
    output: bytes
    late: bool = False
    """it took longer than it might"""
    too_much: bool = False
    """it said more than it might; `output` is the beginning"""
    lost: bool = False
    """the one that it was forked from has ended: it says nothing about the bytes"""


class ForkedChildren:
    """Forks of one process. `close` when there is nothing to do any more."""

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        """What is run, and forked. Nothing is started yet."""
        # -P: no folder of the caller's is searched for modules.
        self._command = ("-P", "-m", module, *arguments)
        self._environment = environment
        self._starting = asyncio.Lock()
        self._parent: _Parent | None = None
        self._at_work = 0
        self._idle: asyncio.TimerHandle | None = None

    async def hand(
        self,
        name: str,
        pieces: AsyncIterator[bytes],
        *,
        output_bytes_max: int,
        within_s: float,
    ) -> Finished:
        """Hand something with a name to a process, and take what it says, until its end.

        It does not outlive this call, however it is left. Raises OSError, and what `pieces` raises.
        """
        self._at_work += 1
        try:
            parent = await self._running()
            child = await parent.fork(name)
            return await child.hear(pieces, output_bytes_max, within_s)
        finally:
            self._at_work -= 1
            self._rest()

    async def close(self) -> None:
        """End all of them."""
        parent, self._parent = self._parent, None
        if parent is not None:
            await parent.end()

    async def _running(self) -> _Parent:
        async with self._starting:
            if self._parent is not None and self._parent.has_ended:
                self._parent.leave()
                self._parent = None
            if self._parent is None:
                self._parent = await _Parent.start(self._command, self._environment)
            return self._parent

    def _rest(self) -> None:
        """Nobody may come for long: nothing is kept for that."""
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._at_work and self._parent is not None:
            self._parent.leave()
            self._parent = None


class _Parent:
    """The process that is forked."""

    def __init__(self, process: asyncio.subprocess.Process, wishes: socket.socket) -> None:
        self._process = process
        self._wishes = wishes
        self._waiting = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> _Parent:
        """Start one. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *command,
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=dict(environment),
                cwd="/",
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(process, ours)

    @property
    def has_ended(self) -> bool:
        return self._waiting.done()

    async def fork(self, name: str) -> _Child:
        """Have a process forked."""
        content, their_content = socket.socketpair()
        told, their_told = socket.socketpair()
        given = [their_content.fileno(), their_told.fileno()]
        with contextlib.suppress(ConnectionError):  # it has ended: that is told as its end
            socket.send_fds(self._wishes, [name.encode("utf-8", "replace") or b"-"], given)
        their_content.close()
        their_told.close()
        return _Child(
            *await asyncio.open_unix_connection(sock=content),
            *await asyncio.open_unix_connection(sock=told),
            self._waiting,
        )

    def leave(self) -> None:
        """Nobody wishes any more: it ends, and all that are at work."""
        self._wishes.close()

    async def end(self) -> None:
        """The same, and wait for it."""
        self.leave()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._waiting


class _Child:
    """A process that is at work."""

    def __init__(
        self,
        output: asyncio.StreamReader,
        content: asyncio.StreamWriter,
        told: asyncio.StreamReader,
        telling: asyncio.StreamWriter,
        parent: asyncio.Task[int],
    ) -> None:
        self._output = output
        self._content = content
        self._told = told
        self._telling = telling
        self._parent = parent

    async def hear(
        self, pieces: AsyncIterator[bytes], output_bytes_max: int, within_s: float
    ) -> Finished:
        """See ForkedChildren.hand."""
        feeding = asyncio.create_task(self._feed(pieces))
        output = bytearray()
        too_much, told = False, b""
        try:
            async with asyncio.timeout(within_s):
                too_much = await self._take(output, output_bytes_max)
                if not too_much:
                    with contextlib.suppress(ConnectionError):
                        told = await self._told.read()
            if feeding.done():
                feeding.result()
        except TimeoutError:
            return Finished(-signal.SIGKILL, bytes(output), late=True)
        finally:
            self._telling.close()  # whatever still runs is killed
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            self._content.close()
        if too_much:
            return Finished(-signal.SIGKILL, bytes(output), too_much=True)
        if told:
            return Finished(int(told), bytes(output))
        await asyncio.wait({self._parent}, timeout=LOST_S)
        code = self._parent.result() if self._parent.done() else -signal.SIGKILL
        return Finished(code, bytes(output), lost=True)

    async def _feed(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            async for piece in pieces:
                self._content.write(piece)
                await self._content.drain()
        except ConnectionError:  # it has read enough
            return
        finally:
            with contextlib.suppress(OSError):
                self._content.write_eof()

    async def _take(self, output: bytearray, most: int) -> bool:
        """Take what it says; whether that was more than `most` bytes."""
        with contextlib.suppress(ConnectionError):  # killed before it had read everything
            while piece := await self._output.read(READ_BYTES):
                output += piece[: most - len(output)]
                if len(output) >= most:
                    return True
        return False
