"""The port through which connections to other machines are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar, get_args

import msgspec

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable


ProtocolT = TypeVar("ProtocolT", bound="asyncio.Protocol")

Purpose = Literal[
    "upstream",
    "issuer",
    "models",
    "ledger",
    "telemetry",
    "webhook",
    "webhook_endpoint",
    "action_group",
    "diagnostics",
    "file_import",
    "mcp",
    "data_source",
    "server",
]
"""what a connection is for: to have another endpoint answer requests; to read the keys of whoever
issues tokens; to bring models; to keep the counts of limits; to tell a collector what goes on; to
tell a webhook that settings declare; to tell one that an application names, or an action group;
to send diagnostic records; to fetch a file that an application named by URL; to use the tools of
an MCP server that a request names; to search an index that a chat request names; to talk, as a
command, to the server that a person named
"""

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Errand(msgspec.Struct, frozen=True):
    """Why a connection is made, and for whom."""

    purpose: Purpose
    account_id: str = ""
    """whose request it is made for: that account's own rules hold too; "" for the server's own"""


class Dialer(Protocol):
    """Opens outgoing connections, or refuses to."""

    async def dial(
        self,
        host: str,
        port: int,
        *,
        errand: Errand,
        tls: bool,
        factory: Callable[[], ProtocolT],
        ca_file: str | None = None,
    ) -> ProtocolT:
        """Connect and return the connected protocol made by `factory`.

        With `tls` the certificate must be valid for `host` and signed by an authority of the
        system or, where it is given, of `ca_file` (PEM) alone.
        Raises EgressRefused when rules forbid the target, OSError when it can't be reached.
        """
        ...

    def require(self, host: str, port: int, errand: Errand) -> None:
        """Refuse what the account of the errand does not allow, or allows no more.

        Whoever keeps connections asks before each use: the one that is free may have been made
        for another account, or before the rules changed. Costs well under a microsecond.
        Raises EgressRefused.
        """
        ...


class SocketDialer(Dialer, Protocol):
    """Opens what is no stream to another machine, too: by the same rules."""

    async def datagrams(self, host: str, port: int, *, errand: Errand) -> socket.socket:
        """A connected UDP socket that does not block; what is sent on it may get lost.

        Raises EgressRefused when rules forbid the target, also where a proxy would have to be
        gone through, which takes none; OSError when its name can't be resolved.
        """
        ...

    async def local(self, path: str) -> socket.socket:
        """A socket that does not block, connected to a unix socket of this machine.

        Of datagrams where it takes them, else a stream. Raises OSError.
        """
        ...
