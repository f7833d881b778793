"""Linarite's own server and client with nothing between them: what governing is measured against.

No key, no limits, no record: a request is read whole, sent to the upstream, and its answer sent
back as it comes. Run it with its port and the upstream's; it prints nothing.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING

import uvloop

from linarite.engines.http_client.client import HttpClient
from linarite.main import GARBAGE_THRESHOLD
from linarite.web.body import read_json_body
from linarite.web.listener import Listener
from linarite.web.options import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.engines.http_client import Connector
    from linarite.web.exchange import Exchange

BODY_BYTES_MAX = 16 * 1024 * 1024
WAIT_S = 60.0
PATH = "/v1/chat/completions"
STREAM = "text/event-stream"


class BareGateway:
    """The handler."""

    def __init__(self, connect: Connector, host: str) -> None:
        self._client = HttpClient(connect, host=host, connections_max=2048, idle_keep_s=WAIT_S)
        self._head = self._client.prepare("POST", PATH, [("content-type", "application/json")])

    async def __call__(self, exchange: Exchange) -> None:
        """Pass one request on."""
        body = await read_json_body(exchange, BODY_BYTES_MAX, WAIT_S)
        answer = await self._client.send_prepared(
            self._head, body, first_byte_s=WAIT_S, idle_s=WAIT_S
        )
        kind = answer.content_type
        lines = f"content-type: {kind}\r\n".encode("latin-1")
        if kind != STREAM:
            exchange.respond(answer.status, lines, await answer.read(BODY_BYTES_MAX))
            return
        exchange.begin(answer.status, lines)
        async for piece in answer.chunks():
            if exchange.write_paused:
                await exchange.drain()
            exchange.write(piece)
        exchange.end()


async def _serve(port: int, upstream_port: int) -> None:
    loop = asyncio.get_running_loop()

    async def connect(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        _, protocol = await loop.create_connection(factory, "127.0.0.1", upstream_port)
        return protocol

    gateway = BareGateway(connect, f"127.0.0.1:{upstream_port}")
    await Listener(gateway, Server(port=port)).open()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD, 20, 20)
    await loop.create_future()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
