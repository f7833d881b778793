"""An approved private endpoint is a listener on its address, and leads to one account.

What is approved may change at any time: the listeners follow the store. One that closes takes its
connections with it, at once.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import TYPE_CHECKING

import msgspec
import structlog

from linarite.domain.arrival import Arrival
from linarite.domain.errors import SetupError
from linarite.domain.private_link import ADDRESS, account_id_of, subnet_id_of

if TYPE_CHECKING:
    from linarite.domain.resource import Committed, Resource
    from linarite.privatelink.book import PrivateLinkBook
    from linarite.privatelink.networks import Network, Networks
    from linarite.web.listeners import Listeners
    from linarite.web.options import Server

RETRY_S = 5.0
"""between attempts at an address that could not be had"""

log = structlog.get_logger(__name__)


class Way(msgspec.Struct, frozen=True):
    """A listener that there is to be."""

    arrival: Arrival
    host: str
    port: int


class EndpointListeners:
    """The listeners of all approved endpoints. `start`, subscribe `follow`, then `stop` once."""

    def __init__(
        self, book: PrivateLinkBook, networks: Networks, listeners: Listeners, server: Server
    ) -> None:
        """`server` has what all listeners share: certificate, bounds on connections."""
        self._book = book
        self._networks = networks
        self._listeners = listeners
        self._server = server
        self._open: dict[str, Way] = {}
        """by the endpoint's id, in lower case"""
        self._settled = -1
        """the edition of the book that the listeners are like"""
        self._turn = asyncio.Lock()
        self._retry: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open those of all endpoints that are approved by now."""
        await self.settle()
        self._retry = asyncio.create_task(self._keep_trying(), name="private endpoints")

    async def stop(self) -> None:
        """Try no address any more; the listeners are closed with all others."""
        if self._retry is not None:
            self._retry.cancel()

    async def follow(self, committed: Committed) -> None:
        """What a store's subscriber is told, after the book."""
        del committed
        if self._settled != self._book.edition:
            await self.settle()

    async def settle(self) -> None:
        """Close what is not approved any more, with its connections; open what is, and isn't."""
        async with self._turn:
            self._settled = self._book.edition
            wanted = dict(self._wanted())
            closing = [key for key, way in self._open.items() if wanted.get(key) != way]
            for key in closing:
                del self._open[key]
            await asyncio.gather(*(self._listeners.close(_name(key)) for key in closing))
            troubles: dict[str, str] = {}
            for key, way in wanted.items():
                if key not in self._open and (trouble := await self._opened(key, way)):
                    troubles[key] = trouble
            self._tell(troubles)

    def _wanted(self) -> list[tuple[str, Way]]:
        found: list[tuple[str, Way]] = []
        for endpoint in self._book.approved():
            network = self._networks.of_subnet(subnet_id_of(endpoint))
            if network is not None and not _misplaced(endpoint, network):
                found.append((endpoint.id.lower(), _way(endpoint, network)))
        return found

    async def _opened(self, key: str, way: Way) -> str:
        """Open it; why that could not be, or "" when it is open."""
        options = msgspec.structs.replace(self._server, host=way.host, port=way.port)
        try:
            await self._listeners.open(options, way.arrival)
        except SetupError as problem:
            return problem.message
        self._open[key] = way
        return ""

    def _tell(self, troubles: dict[str, str]) -> None:
        for endpoint in self._book.approved():
            network = self._networks.of_subnet(subnet_id_of(endpoint))
            if misplaced := _misplaced(endpoint, network):
                troubles[endpoint.id.lower()] = misplaced
        for key, why in troubles.items():
            if self._book.troubles.get(key) != why:
                log.warning("a private endpoint can't be reached", resource=key, reason=why)
        self._book.troubles = troubles

    async def _keep_trying(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            if self._book.troubles:
                await self.settle()


def _misplaced(endpoint: Resource, network: Network | None) -> str:
    """Why settings, which may have changed, have no place for an endpoint; "" while they have."""
    if network is None:
        return f"Nothing listens: no network in settings is '{subnet_id_of(endpoint)}'."
    address = str(endpoint.properties[ADDRESS])
    if address in network.endpoint_addresses:
        return ""
    return f"Nothing listens: {network.setting} endpoint_addresses has {address} no more."


def _name(key: str) -> str:
    return f"private endpoint {key}"


def _way(endpoint: Resource, network: Network) -> Way:
    return Way(
        arrival=Arrival(
            listener=_name(endpoint.id.lower()),
            planes=frozenset(("data",)),
            account_id=account_id_of(endpoint),
            endpoint_id=endpoint.id,
            sources=tuple(ip_network(each) for each in network.ranges),
        ),
        host=str(endpoint.properties[ADDRESS]),
        port=network.endpoint_port,
    )
