"""Takes offers of WebSockets: let in like a request, by the same controls in the same order.

A socket is a request whose answer is the whole conversation over it; the turns are requests too.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from linarite.dataplane.call import Call
from linarite.dataplane.operations.responses.operation import CreateResponse
from linarite.dataplane.parts.documents import DocumentReply
from linarite.dataplane.pipeline import let_in
from linarite.dataplane.sockets.counts import SocketCounts
from linarite.dataplane.sockets.responses import ResponseTurns
from linarite.dataplane.sockets.session import Session
from linarite.domain.errors import LinariteError
from linarite.web.ids import new_guid
from linarite.web.sockets.offer import accepting_lines, offers_socket
from linarite.web.sockets.socket import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable

    from linarite.dataplane.call import Operation, OperationKit
    from linarite.dataplane.http import DataPlane
    from linarite.dataplane.options import Limits
    from linarite.dataplane.router import OperationFinder
    from linarite.dataplane.sockets.options import WebSockets
    from linarite.domain.errors import GatewayError
    from linarite.domain.facts import Facts
    from linarite.web.exchange import Exchange

SWITCHING = 101


class SocketDoor:
    """The handler of the data plane: of plain requests as of those that offer a WebSocket."""

    def __init__(
        self,
        plane: DataPlane,
        router: OperationFinder,
        kit: OperationKit,
        options: WebSockets,
        limits: Limits,
    ) -> None:
        """`plane` answers what is no offer; `router` and `kit` are its own."""
        self._plane = plane
        self._router = router
        self._kit = kit
        self._options = options
        self._limits = limits
        self._counts = SocketCounts(options)

    def __call__(self, exchange: Exchange) -> Awaitable[None]:
        """Answer one request, or everything that is asked over one socket."""
        if exchange.method != "GET" or not offers_socket(exchange):
            return self._plane(exchange)
        return self._plane.finding_by(OfferFinder(self, exchange))(exchange)

    def operation_for(
        self, call: Call, query: bytes, exchange: Exchange
    ) -> Operation | GatewayError:
        """What takes the offer; where no turns are to be had, the offer is ignored."""
        call.method = "POST"
        found = self._router.find(call, query)
        call.method = exchange.method
        if isinstance(found, CreateResponse):
            opening = OpenSocket(self._kit)
            opening.door, opening.exchange = self, exchange
            return opening
        return self._router.find(call, query)

    async def talk(self, call: Call, exchange: Exchange, opening: OpenSocket) -> None:
        """Open the socket and answer its turns, to its end. Raises the refusals of the offer."""
        lines = accepting_lines(exchange)
        with self._counts.counted(call.account_id):
            turns = ResponseTurns(self._router, self._kit, self._options.memory_bytes_max)
            websocket = Socket(exchange, self._limits.body_bytes_max)
            call.status = SWITCHING
            websocket.open(b"%bapim-request-id: %b\r\n" % (lines, call.request_id.encode()))

            async def may_stay() -> LinariteError | None:
                try:
                    await let_in(again(call), opening, self._plane.surface)
                except LinariteError as refusal:
                    return refusal
                return None

            answer = self._plane.finding_by(turns)
            await Session(websocket, exchange, answer, turns, may_stay, self._options).run()


class OfferFinder:
    """The `OperationFinder` of one offer."""

    def __init__(self, door: SocketDoor, exchange: Exchange) -> None:
        self._door = door
        self._exchange = exchange

    def find(self, call: Call, query: bytes) -> Operation | GatewayError:
        """See OperationFinder."""
        return self._door.operation_for(call, query, self._exchange)


class OpenSocket:
    """The operation of the handshake: it lasts as long as the socket."""

    name = "Responses_Connect"
    action = CreateResponse.action
    reads_body = False

    door: SocketDoor
    """where it came; with the next, set before it is asked for"""
    exchange: Exchange

    def __init__(self, kit: OperationKit) -> None:
        """What it leads to has a kit of its own."""

    def parse(self, call: Call, body: bytes, facts: Facts) -> Call:
        """Nothing to check before it is known that the client may come in."""
        del body, facts
        call.reply = DocumentReply(SWITCHING)
        return call

    async def run(self, ask: Call, slot: object) -> AsyncGenerator[dict[str, Any], None]:
        """The whole conversation, and then an answer that nobody reads."""
        del slot
        await self.door.talk(ask, self.exchange, self)
        yield {}


def again(call: Call) -> Call:
    """A call with the same client and credentials, to ask whether it would be let in now."""
    other = Call(
        method=call.method,
        path=call.path,
        headers=call.headers,
        request_id=new_guid(),
        started_at=time.perf_counter(),
        body=NoBody(),
    )
    other.arrival = call.arrival
    other.site = call.site
    other.client_address = call.client_address
    other.certificate = call.certificate
    other.v1 = call.v1
    other.api_version = call.api_version
    other.query = call.query
    other.path_arguments = call.path_arguments
    other.account = call.account
    return other


class NoBody:
    """Of a call that asks for nothing."""

    left = False

    async def read(self) -> bytes:
        """Nothing."""
        return b""

    async def pieces(self) -> AsyncIterator[bytes]:
        """Nothing."""
        return
        yield b""
