"""The hosts of a network bed and their addresses: plain facts, for tests and for the demo.

Every host has one link to the server's host and no other: what goes from one side to another
would have to pass the server, which forwards nothing. Hosts know the way to their own subnet and,
by the server's address in it, to the public side.
"""

from __future__ import annotations

from ipaddress import ip_interface

import msgspec

SERVER = "server"
"""the host on which Linarite runs, with an address in each network"""


class Network(msgspec.Struct, frozen=True):
    """A network with one host in it, and the server's addresses there."""

    name: str
    """of the network, of its host, and of the server's link to it: at most 15 characters"""
    server: tuple[str, ...]
    """the server's addresses, each with its prefix; the first one is where it is called"""
    host: tuple[str, ...]
    """the host's addresses, each with its prefix"""
    says: str = ""
    """what it stands for"""
    region: str = ""
    """the region whose models run on its host; "" where clients live"""
    data_zone: str = ""
    """of that region"""

    @property
    def server_address(self) -> str:
        """Where the server is called from here."""
        return bare(self.server[0])

    @property
    def address(self) -> str:
        """The host's first address."""
        return bare(self.host[0])

    @property
    def name_server(self) -> str:
        """Where names are answered here."""
        named = [bare(each) for each in self.server if bare(each).endswith(".53")]
        return named[0] if named else self.server_address

    @property
    def endpoints(self) -> list[str]:
        """The server's addresses that are kept for private endpoints."""
        return [bare(each) for each in self.server[2:] if ":" not in each]

    @property
    def subnets(self) -> tuple[str, ...]:
        """Its ranges, each once."""
        return tuple(dict.fromkeys(str(ip_interface(each).network) for each in self.server))


class Layout(msgspec.Struct, frozen=True):
    """All networks of a bed."""

    networks: tuple[Network, ...]

    def of(self, name: str) -> Network:
        """A network by its name."""
        return next(network for network in self.networks if network.name == name)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The server's host, and one for each network."""
        return (SERVER, *(network.name for network in self.networks))


def bare(address: str) -> str:
    """An address without its prefix."""
    return address.partition("/")[0]


APPLICATION = Network(
    name="application",
    server=("10.77.1.1/24", "10.77.1.53/24", *(f"10.77.1.{last}/24" for last in range(100, 104))),
    host=("10.77.1.10/24",),
    says="a subnet of the owner's virtual network",
)
PARTNER = Network(
    name="partner",
    server=("10.77.2.1/24", "10.77.2.53/24", *(f"10.77.2.{last}/24" for last in range(100, 104))),
    host=("10.77.2.10/24",),
    says="a subnet of somebody else's virtual network",
)
PUBLIC = Network(
    name="public",
    # Of AS112, for which nobody has a service of their own: public addresses to every rule, where
    # documentation addresses count as private.
    server=("192.175.48.1/24", "2620:4f:8000::1/64"),
    host=("192.175.48.10/24", "192.175.48.20/24", "2620:4f:8000::10/64"),
    says="everybody else",
)
REGIONS = tuple(
    Network(
        name=name,
        server=(f"10.77.{third}.1/24",),
        host=(f"10.77.{third}.10/24",),
        says=f"models in the data zone {zone}",
        region=name,
        data_zone=zone,
    )
    for name, third, zone in (
        ("swedencentral", 11, "eu"),
        ("polandcentral", 12, "eu"),
        ("eastus", 13, "us"),
    )
)
WHOLE = Layout(networks=(APPLICATION, PARTNER, PUBLIC, *REGIONS))
"""what the demo shows: three sides on which clients live, and three regions of two data zones"""
