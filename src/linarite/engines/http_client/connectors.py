"""Ways to reach a server: a unix socket of this machine, or another machine through the dialer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer, Errand
    from linarite.domain.target import Target

Connector = Callable[[Callable[[], asyncio.Protocol]], Awaitable[asyncio.Protocol]]
"""makes a protocol by the factory and connects it; raises OSError when it cannot"""


def unix_connector(path: str) -> Connector:
    """Connect to the unix socket at `path`."""

    async def connect(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_unix_connection(factory, path)
        return protocol

    return connect


def dialer_connector(
    dialer: Dialer,
    target: Target,
    errand: Callable[[], Errand],
    *,
    ca_file: str | None = None,
) -> Connector:
    """Connect to another machine, as far as the dialer allows it (else EgressRefused).

    `errand` is asked for each connection: for whom it is made, then.
    """

    async def connect(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        return await dialer.dial(
            target.host,
            target.port,
            errand=errand(),
            tls=target.tls,
            factory=factory,
            ca_file=ca_file,
        )

    return connect
