"""Private endpoints of a running server: what the control plane asks, and what listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.privatelink.book import PrivateLinkBook
from linarite.privatelink.declared import declare_networks
from linarite.privatelink.listening import EndpointListeners

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from linarite.domain.resource import ResourceStore
    from linarite.privatelink.networks import Networks
    from linarite.web.listeners import Listeners
    from linarite.web.options import Server


class PrivateLink:
    """The book, and the listeners that follow it once they may be opened."""

    def __init__(self, resources: ResourceStore, networks: Networks, suffix: str) -> None:
        """`open` reads the book; `serve` opens the listeners."""
        self._resources = resources
        self.networks = networks
        self.book = PrivateLinkBook(resources, suffix)

    async def open(self, location: str) -> None:
        """Declare the networks of settings, in the account's region, and read what there is."""
        await declare_networks(self._resources, self.networks, location)
        await self.book.refresh()
        self._resources.subscribe(self.book.follow)

    async def serve(self, listeners: Listeners, server: Server, stack: AsyncExitStack) -> None:
        """Listen for all approved endpoints, from now on until the stack closes."""
        followers = EndpointListeners(self.book, self.networks, listeners, server)
        self._resources.subscribe(followers.follow)
        stack.push_async_callback(followers.stop)
        await followers.start()
