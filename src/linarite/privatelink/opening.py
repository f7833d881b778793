"""Private endpoints of a running server: what the control plane asks, and what listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.privatelink.addresses import public_addresses
from linarite.privatelink.book import PrivateLinkBook
from linarite.privatelink.declared import declare_networks
from linarite.privatelink.listening import EndpointListeners
from linarite.privatelink.networks import DNS_PORT, host_and_port, networks_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from linarite.controls.network.options import NetworkSettings
    from linarite.domain.resource import ResourceStore
    from linarite.privatelink.networks import Networks
    from linarite.privatelink.options import DnsSettings
    from linarite.web.listeners import Listeners
    from linarite.web.options import Server


async def open_private_link(
    resources: ResourceStore, declared: Mapping[str, NetworkSettings], account_id: str, suffix: str
) -> PrivateLink:
    """Put the networks of settings into the store, and read what there is. Raises SetupError.

    Networks without a subnet of their own lie beside the declared account, in its region.
    """
    networks = networks_of(declared, account_id)
    account = await resources.get(account_id)
    await declare_networks(resources, networks, (account and account.location) or "")
    book = PrivateLinkBook(resources, suffix)
    await book.refresh()
    resources.subscribe(book.follow)
    return PrivateLink(resources, networks, book)


class PrivateLink:
    """What the control plane asks, and what listens and answers once it may."""

    def __init__(self, resources: ResourceStore, networks: Networks, book: PrivateLinkBook) -> None:
        self._resources = resources
        self.networks = networks
        self.book = book

    async def serve(
        self, listeners: Listeners, server: Server, dns: DnsSettings, stack: AsyncExitStack
    ) -> None:
        """Listen for all approved endpoints and answer names, until the stack closes.

        Raises SetupError for an address of names that can't be had.
        """
        followers = EndpointListeners(self.book, self.networks, listeners, server)
        self._resources.subscribe(followers.follow)
        stack.push_async_callback(followers.stop)
        await followers.start()
        await self._answer_names(dns, server, stack)

    async def _answer_names(self, dns: DnsSettings, server: Server, stack: AsyncExitStack) -> None:
        inside = [(each, each.dns) for each in self.networks.all if each.dns is not None]
        if not inside and not dns.listen:
            return
        # Heavy, and only needed where names are answered.
        from linarite.privatelink.names.responder import Responder  # noqa: PLC0415 - slow, and only where names are answered
        from linarite.privatelink.names.views import NetworkView, PublicView  # noqa: PLC0415 - slow, and only where names are answered

        public = public_addresses(dns, server)
        responders = [
            Responder(
                NetworkView(self.book, public, host, network.virtual_network_id),
                *(host, port),
                f"networks.{network.name}.dns",
                network.ranges,
            )
            for network, (host, port) in inside
        ]
        for text in dns.listen:
            host, port = host_and_port(text, "dns.listen", DNS_PORT)
            view = PublicView(self.book, public, host)
            responders.append(Responder(view, host, port, "dns.listen"))
        for responder in responders:
            await responder.open()
            stack.push_async_callback(responder.close)
