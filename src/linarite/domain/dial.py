"""The port through which connections to other machines are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


ProtocolT = TypeVar("ProtocolT", bound="asyncio.Protocol")


class Dialer(Protocol):
    """Opens outgoing connections, or refuses to."""

    async def dial(
        self,
        host: str,
        port: int,
        *,
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
