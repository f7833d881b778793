"""One WebSocket: turns, one after the other, until it is old, left, refused or drained.

Each turn goes the way of a request over HTTP, its credentials included: nothing is remembered of
who was let in.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from linarite.dataplane.sockets.turn import Turn
from linarite.web.sockets.socket import GOING_AWAY, NORMAL, POLICY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.dataplane.sockets.options import WebSockets
    from linarite.domain.errors import LinariteError
    from linarite.web.exchange import Exchange, Handler
    from linarite.web.sockets.socket import Socket

LIVED_ENOUGH = (
    "Responses websocket connection limit reached ({minutes:.0f} minutes). Create a new websocket "
    "connection to continue."
)
WHO_MAY = frozenset((401, 403))
"""refusals after which it is looked whether the client may still be there at all"""


class Asked(msgspec.Struct, frozen=True):
    """A message of a client's, read."""

    body: bytes
    lane: str | None = None


class BadMessage(Exception):
    """A message that asks for nothing that is known here."""

    def __init__(self, message: str, param: str | None, code: str, lane: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.lane = lane


class Turns(Protocol):
    """What is asked and answered over the socket: an operation's matter."""

    def read(self, message: bytes) -> Asked:
        """The request in a message. Raises BadMessage."""
        ...

    def failed(self) -> None:
        """The turn that was asked for last has failed."""
        ...


class Session:
    """What happens on one socket."""

    def __init__(
        self,
        websocket: Socket,
        opened: Exchange,
        answer: Handler,
        turns: Turns,
        may_stay: Callable[[], Awaitable[LinariteError | None]],
        options: WebSockets,
    ) -> None:
        """`opened` is the handshake, `answer` answers turns.

        `may_stay` tells why the client may not be there any more.
        """
        self._socket = websocket
        self._opened = opened
        self._answer = answer
        self._turns = turns
        self._may_stay = may_stay
        self._options = options
        self._ends_at = time.monotonic() + options.lifetime_s

    async def run(self) -> None:
        """To its end."""
        websocket = self._socket
        try:
            while (message := await self._next()) is not None:
                await self._turn(message)
                websocket.give_back()
            if websocket.draining:
                websocket.close(GOING_AWAY, "the server is shutting down")
        except asyncio.CancelledError:
            websocket.close(GOING_AWAY, "the server is shutting down")
            raise
        finally:
            websocket.close(NORMAL, "")

    async def _next(self) -> bytes | None:
        """The next message; None where there is none to be answered any more."""
        options, websocket = self._options, self._socket
        idle_from = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= self._ends_at:
                self._tell_end()
                return None
            if now - idle_from >= options.idle_s:
                websocket.close(
                    NORMAL, f"no turn for {options.idle_s:g} seconds: websockets.idle_s"
                )
                return None
            wait_s = min(options.recheck_s, self._ends_at - now, idle_from + options.idle_s - now)
            try:
                return await websocket.receive(wait_s)
            except TimeoutError:
                if not await self._stays():
                    return None

    async def _turn(self, message: bytes) -> None:
        """Answer one message."""
        websocket = self._socket
        try:
            asked = self._turns.read(message)
        except BadMessage as problem:
            self._turns.failed()
            self._tell_error(400, str(problem), problem.code, problem.param, problem.lane)
            await asyncio.sleep(0)  # many may be waiting, and others, too
            return
        turn = Turn(websocket, self._opened, asked.body, asked.lane)
        turn.task = asyncio.ensure_future(self._answer(turn))
        websocket.answering = turn
        try:
            if websocket.gone:
                turn.depart()
            await asyncio.shield(turn.task)
        except asyncio.CancelledError:  # the server stops: the client is told
            turn.task.cancel()
            await asyncio.wait((turn.task,))
            raise
        finally:
            websocket.answering = None
            if turn.failed:
                self._turns.failed()
        if turn.refused_with in WHO_MAY:
            await self._stays()

    async def _stays(self) -> bool:
        """Whether the client may go on; told, and the socket closed, if not."""
        refusal = await self._may_stay()
        if refusal is None:
            return True
        self._tell_error(refusal.status, refusal.message, refusal.code or "", None)
        self._socket.close(POLICY, refusal.message)
        return False

    def _tell_end(self) -> None:
        minutes = self._options.lifetime_s / 60
        code = "websocket_connection_limit_reached"
        self._tell_error(400, LIVED_ENOUGH.format(minutes=minutes), code, None)
        self._socket.close(NORMAL, code)

    def _tell_error(
        self, status: int, message: str, code: str, param: str | None, lane: str | None = None
    ) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
        event: dict[str, Any] = {"type": "error", "status": status, "error": error}
        if lane is not None:
            event["stream_id"] = lane
        self._socket.send(msgspec.json.encode(event))
