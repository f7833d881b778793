"""What settings say of networks and names, read before anything is opened."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.privatelink.networks import DNS_PORT, host_and_port, networks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.controls.network.options import NetworkSettings
    from linarite.privatelink.options import DnsSettings
    from linarite.web.options import Server


def check_networks(
    declared: Mapping[str, NetworkSettings], account_id: str, dns: DnsSettings, server: Server
) -> None:
    """`[networks.NAME]` and `[dns]`, beside the declared account. Raises SetupError."""
    networks_of(declared, account_id)
    public_addresses(dns, server)
    for text in dns.listen:
        host_and_port(text, "dns.listen", DNS_PORT)


def public_addresses(dns: DnsSettings, server: Server) -> Sequence[str]:
    """Where the public side of the server is. Raises SetupError for what is no address."""
    for text in dns.public_addresses:
        try:
            ip_address(text)
        except ValueError:
            raise SetupError(f"dns.public_addresses: '{text}' is no IP address.") from None
    if dns.public_addresses:
        return dns.public_addresses
    try:
        own = ip_address(server.host)
    except ValueError:  # a name
        return []
    return [] if own.is_unspecified else [server.host]
