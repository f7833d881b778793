"""Whose process a connection on this machine belongs to."""

from __future__ import annotations

import asyncio
import pwd
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

ROWS_MAX = 200_000
IPV4_BYTES = 4
ESTABLISHED = "01"
"""the state of a connection that is in use; others have no owner, which reads as root's number"""


async def user_of_peer(address: str, port: int) -> int | None:
    """The user id of the process at the other end; None where nobody can tell.

    Only Linux tells it, and only of connections within one machine: their other end has a row of
    its own in the kernel's table.
    """
    return await asyncio.to_thread(_user_of_peer, address, port)


def user_id(name: str) -> int | None:
    """The number of a user that settings name."""
    if name.isdecimal():
        return int(name)
    with suppress(KeyError):
        return pwd.getpwnam(name).pw_uid
    return None


def _user_of_peer(address: str, port: int) -> int | None:
    wanted = {f"{each}:{port:04X}" for each in _as_kernel_writes(address)}
    found: set[int] = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError), Path(f"/proc/net/{table}").open(encoding="ascii") as rows:
            next(rows, None)
            for _, row in zip(range(ROWS_MAX), rows, strict=False):
                parts = row.split()
                if parts[1] in wanted and parts[3] == ESTABLISHED:
                    found.add(int(parts[7]))
    # A port may lead to several places, for several users: then nobody can tell.
    return found.pop() if len(found) == 1 else None


def _as_kernel_writes(address: str) -> list[str]:
    """An address in hexadecimal digits, each 32 bits in this machine's own order."""
    packed = ip_address(address).packed
    mapped = bytes(10) + b"\xff\xff" + packed if len(packed) == IPV4_BYTES else b""
    return [
        "".join(each[at : at + 4][::-1].hex().upper() for at in range(0, len(each), 4))
        for each in (packed, mapped)
        if each
    ]
