"""Several addresses, one connection: happy eyeballs (RFC 8305) over addresses already checked."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

_HEAD_START_S = 0.25
"""how long an address may take before the next one is tried beside it"""


async def first_connected(addresses: list[IPv4Address | IPv6Address], port: int) -> socket.socket:
    """A connected, non-blocking socket to the first address that answers.

    Raises the last address's OSError when none does.
    """
    if len(addresses) == 1:  # nobody to race against
        return await _connected(addresses[0], port)
    attempts: set[asyncio.Task[socket.socket]] = set()
    failure: OSError = OSError("the name has no address")
    waiting = list(addresses)
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(asyncio.create_task(_connected(waiting.pop(0), port)))
            done, attempts = await asyncio.wait(
                attempts,
                timeout=_HEAD_START_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for attempt in done:
                error = attempt.exception()
                if error is None:
                    _close_others(done - {attempt})
                    return attempt.result()
                if not isinstance(error, OSError):
                    raise error
                failure = error
        raise failure
    finally:
        for attempt in attempts:
            attempt.cancel()
        # Wait, so that no socket outlives the call.
        for late in await asyncio.gather(*attempts, return_exceptions=True):
            if isinstance(late, socket.socket):
                late.close()


def _close_others(done: set[asyncio.Task[socket.socket]]) -> None:
    for attempt in done:
        if attempt.exception() is None:
            attempt.result().close()


async def _connected(address: IPv4Address | IPv6Address, port: int) -> socket.socket:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IPv4
    candidate = socket.socket(family, socket.SOCK_STREAM)
    try:
        candidate.settimeout(0)
        candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(candidate, (str(address), port))
    except BaseException:
        candidate.close()
        raise
    return candidate
