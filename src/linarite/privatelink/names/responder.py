"""Sockets on which names are answered: UDP and TCP on one address and port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.privatelink.names.messages import QUESTION_BYTES_MAX, cut_short, refused, respond
from linarite.privatelink.names.rates import AnswerRates
from linarite.web.addresses import PlaceCounts, place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.privatelink.names.views import View

DATAGRAMS_AT_ONCE = 64
"""answered before others have their turn"""
CONNECTIONS_MAX = 100
CONNECTIONS_PER_CLIENT_MAX = 10
QUESTIONS_PER_CONNECTION_MAX = 100
FIRST_S = 3.0
"""for a first question to be there: who connects has one"""
IDLE_S = 10.0
"""for each further one, and for an answer to be taken"""
PORT_ATTEMPTS = 10


class Responder:
    """Answers what a view shows. `open`, then `close` once."""

    def __init__(
        self, view: View, host: str, port: int, setting: str, sources: Sequence[str] = ()
    ) -> None:
        """`setting` is where settings name the address; port 0 picks a free one.

        `sources` are the ranges of addresses that are answered; none: everybody. A machine with an
        address in several networks takes packets for any of them from all.
        """
        self._view = view
        self._host, self.port = host, port
        self._setting = setting
        self._sources = tuple(map(ip_network, sources))
        self._rates = AnswerRates()
        self._cut_short = False
        """every other answer over the rate says to ask by TCP, the rest is dropped"""
        self._udp: socket.socket | None = None
        self._tcp: asyncio.Server | None = None
        self._clients = PlaceCounts()
        self._writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        """of the connections there are; first the one that has asked nothing for longest"""

    async def open(self) -> None:
        """Bind and answer. Raises SetupError when the address can't be had."""
        udp, tcp = self._bound()
        self._udp = udp
        self.port = udp.getsockname()[1]
        asyncio.get_running_loop().add_reader(udp.fileno(), self._take_datagrams)
        self._tcp = await asyncio.start_server(self._converse, sock=tcp)

    async def close(self) -> None:
        """Answer nobody any more."""
        if self._udp is not None:
            asyncio.get_running_loop().remove_reader(self._udp.fileno())
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in self._writers.values():
            writer.transport.abort()
        if self._writers:
            await asyncio.wait(set(self._writers))

    def _bound(self) -> tuple[socket.socket, socket.socket]:
        """Both on one port; one that was picked for UDP may be taken for TCP."""
        attempts = PORT_ATTEMPTS if self.port == 0 else 1
        while True:
            attempts -= 1
            try:
                udp = bound(self._host, self.port, socket.SOCK_DGRAM)
            except OSError as problem:
                raise self._cant_listen(problem) from None
            try:
                return udp, bound(self._host, udp.getsockname()[1], socket.SOCK_STREAM)
            except OSError as problem:
                udp.close()
                if not attempts:
                    raise self._cant_listen(problem) from None

    def _cant_listen(self, problem: OSError) -> SetupError:
        return SetupError(
            f"Names can't be answered on {self._host}:{self.port}: {problem.strerror or problem}. "
            f"Set {self._setting} to an address of this machine with a port that is free and "
            "that this user may have (below 1024 that takes a capability), or leave it out."
        )

    # UDP.

    def _take_datagrams(self) -> None:
        assert self._udp is not None  # noqa: S101 - the loop calls only while it is open
        for _ in range(DATAGRAMS_AT_ONCE):
            try:
                question, sender = self._udp.recvfrom(QUESTION_BYTES_MAX)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:  # an answer of ours could not be delivered: nothing to do about it
                continue
            reply = self._reply(question, str(sender[0]))
            if reply is not None:
                with contextlib.suppress(OSError):  # the client asks again
                    self._udp.sendto(reply, sender)

    def _answers(self, client: str) -> bool:
        if not self._sources:
            return True
        address = ip_address(client.partition("%")[0])
        return any(address in source for source in self._sources)

    def _reply(self, question: bytes, sender: str) -> bytes | None:
        if not self._answers(sender):
            return refused(question) if self._rates.allows(sender) else None
        if self._rates.allows(sender):
            return respond(question, self._view.zones(), udp=True)
        self._cut_short = not self._cut_short
        return cut_short(question) if self._cut_short else None

    # TCP.

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        task = asyncio.current_task()
        place = self._place(str(peer[0])) if peer else ""
        if task is None or not place:
            writer.close()
            return
        self._make_room()
        self._writers[task] = writer
        try:
            await self._answer_all(reader, writer, task)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # it left, or said nothing for too long
        finally:
            self._writers.pop(task, None)
            self._clients.leave(place)
            writer.close()

    def _place(self, client: str) -> str:
        """What a client's connection is counted as; "" for who gets no answer, or has too many."""
        if not self._answers(client):
            return ""
        place = place_of(client)
        return place if self._clients.enter(place, CONNECTIONS_PER_CLIENT_MAX) else ""

    def _make_room(self) -> None:
        """Where there are as many as may be, the one goes that has asked nothing for longest.

        To keep others out would take no more than to be there and silent.
        """
        if len(self._writers) >= CONNECTIONS_MAX:
            longest = next(iter(self._writers))
            self._writers.pop(longest).transport.abort()

    async def _answer_all(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        for count in range(QUESTIONS_PER_CONNECTION_MAX):
            async with asyncio.timeout(IDLE_S if count else FIRST_S):
                size = int.from_bytes(await reader.readexactly(2))
                if size > QUESTION_BYTES_MAX:
                    return
                question = await reader.readexactly(size)
            if task in self._writers:
                self._writers[task] = self._writers.pop(task)
            reply = respond(question, self._view.zones(), udp=False)
            if reply is None:
                return
            writer.write(len(reply).to_bytes(2) + reply)
            async with asyncio.timeout(IDLE_S):
                await writer.drain()


def bound(host: str, port: int, kind: int) -> socket.socket:
    """A socket on an address, in no hurry. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    made.setblocking(False)  # noqa: FBT003 - the socket module takes it so
    return made
