"""The processes that read files, from the gateway's side: one is started, the others are its forks.

To start Python and load what reads documents takes thirty times as long as to fork a process that
has done so. The one that is forked has seen no file, so that no file leaves anything to the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

READER = "linarite.vector_stores.reader"
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "RAYON_NUM_THREADS": "1"}
IDLE_S = 60.0
"""how long the one that is forked is kept without a file"""
LOST_S = 5.0
"""how long one that says nothing more is waited for"""
READ_BYTES = 256 * 1024


class Finished(NamedTuple):
    """How a process ended that read a file."""

    code: int
    """negative for a signal; -9 also where it was ended for what follows"""
    output: bytes
    late: bool = False
    """it took longer than it might"""
    too_much: bool = False
    """it said more than it might; `output` is the beginning"""
    lost: bool = False
    """the one that it was forked from has ended: it says nothing about the file"""


class Readers:
    """Reads files. `close` when nothing shall be read any more."""

    def __init__(self, memory_bytes: int, cpu_seconds: int) -> None:
        """The bounds of each process. None is started yet."""
        self._bounds = (str(memory_bytes), str(cpu_seconds))
        self._starting = asyncio.Lock()
        self._parent: _Parent | None = None
        self._reading = 0
        self._idle: asyncio.TimerHandle | None = None

    async def read(
        self,
        filename: str,
        pieces: AsyncIterator[bytes],
        *,
        output_bytes_max: int,
        within_s: float,
    ) -> Finished:
        """Hand a file to a process, and take what it says, until it ends or is ended.

        It does not outlive this call, however it is left. Raises OSError, and what `pieces` raises.
        """
        self._reading += 1
        try:
            parent = await self._running()
            file = await parent.begin(filename)
            return await file.read(pieces, output_bytes_max, within_s)
        finally:
            self._reading -= 1
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
                self._parent = await _Parent.start(self._bounds)
            return self._parent

    def _rest(self) -> None:
        """Nobody may come for long: nothing is kept for that."""
        if self._idle is not None:
            self._idle.cancel()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(IDLE_S, self._end_if_idle)

    def _end_if_idle(self) -> None:
        if not self._reading and self._parent is not None:
            self._parent.leave()
            self._parent = None


class _Parent:
    """The process that is forked."""

    def __init__(self, process: asyncio.subprocess.Process, wishes: socket.socket) -> None:
        self._process = process
        self._wishes = wishes
        self._waiting = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, bounds: tuple[str, str]) -> _Parent:
        """Start one. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            process = await asyncio.create_subprocess_exec(
                # -P: no folder of the caller's is searched for modules.
                *(sys.executable, "-P", "-m", READER, *bounds),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                env=ENVIRONMENT,
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

    async def begin(self, filename: str) -> _File:
        """Have a process forked for a file."""
        content, their_content = socket.socketpair()
        told, their_told = socket.socketpair()
        given = [their_content.fileno(), their_told.fileno()]
        with contextlib.suppress(ConnectionError):  # it has ended: that is told as its end
            socket.send_fds(self._wishes, [filename.encode("utf-8", "replace") or b"-"], given)
        their_content.close()
        their_told.close()
        return _File(
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


class _File:
    """A file that is read."""

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

    async def read(
        self, pieces: AsyncIterator[bytes], output_bytes_max: int, within_s: float
    ) -> Finished:
        """See Readers."""
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
