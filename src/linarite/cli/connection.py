"""How commands connect: to the one endpoint that they were told, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.dial import Errand

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from linarite.domain.target import Target
    from linarite.engines.http_client import Connector


def connector_to(target: Target, ca_file: str | None) -> Connector:
    """Connections to an endpoint that the person named, wherever it is, and nowhere else."""
    dialer = EgressDialer(EgressPolicy(named_hosts=frozenset((target.host,))))

    async def connect(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        return await dialer.dial(
            target.host,
            target.port,
            errand=Errand("server"),
            tls=target.tls,
            factory=factory,
            ca_file=ca_file,
        )

    return connect
