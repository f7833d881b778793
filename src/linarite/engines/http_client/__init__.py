"""A small HTTP/1.1 client for engines: the gateway's hot path.

    client = HttpClient(unix_connector(path), host="localhost")
    response = await client.send("POST", "/v1/chat/completions", headers, body,
                                 first_byte_s=60, idle_s=30)
    async for payload in response.events():
        ...

An `asyncio.Protocol` on httptools with a pool of kept-alive connections. A response is used up by
`read`, by exhausting `chunks` or `events`, or given up by `close`; until then it
holds its connection. No redirects, no cookies, no content codings, no `Expect`.
"""

from __future__ import annotations

from linarite.engines.http_client.client import HttpClient, RequestHead
from linarite.engines.http_client.connectors import Connector, dialer_connector, unix_connector
from linarite.engines.http_client.errors import (
    BodyTooLong,
    ConnectError,
    ConnectionLost,
    DeadlinePassed,
    HttpClientError,
    MalformedReply,
)
from linarite.engines.http_client.event_stream import EventParser, ServerEvent
from linarite.engines.http_client.response import Response

__all__ = [
    "BodyTooLong",
    "ConnectError",
    "ConnectionLost",
    "Connector",
    "DeadlinePassed",
    "EventParser",
    "HttpClient",
    "HttpClientError",
    "MalformedReply",
    "RequestHead",
    "Response",
    "ServerEvent",
    "dialer_connector",
    "unix_connector",
]
