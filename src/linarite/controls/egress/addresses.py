"""Which addresses are what: the tables behind the rules.

After IANA's registries of special-purpose IPv4 and IPv6 addresses (RFC 6890 and what it lists),
spelled out because what a library calls private or global has changed between its versions.
"""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_network


class Reach(Enum):
    """How far an address reaches, as far as it matters for being connected to."""

    PUBLIC = "public"
    PRIVATE = "private"
    """this machine or its own networks"""
    NEVER = "never"
    """nothing there that anybody may want to call through us"""


_METADATA = frozenset(
    (
        "169.254.169.254",  # AWS, Azure, Google and most others
        "169.254.170.2",  # AWS ECS tasks
        "168.63.129.16",  # Azure's host agent; a public address
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle classic
        "fd20:ce::254",  # Google
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:42::42",  # Scaleway
        "fd00:a9fe:a9fe::1",  # Akamai (Linode)
    )
)
_NEVER_V4 = tuple(
    (ip_network(network), what)
    for network, what in (
        ("0.0.0.0/8", "an unspecified address"),
        ("169.254.0.0/16", "a link-local address"),
        ("192.0.0.0/24", "a protocol assignment"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
# Nobody has them in the open net, so where they lead somewhere it is to a network's own machines:
# closed ones stand in with them for hosts that are elsewhere.
_DOCUMENTATION_V4 = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
_PRIVATE_V4 = tuple(
    (ip_network(network), what)
    for network, what in (
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a carrier-grade NAT address"),
        ("127.0.0.0/8", "a loopback address"),
        ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmarking address"),
        *((network, "a documentation address") for network in _DOCUMENTATION_V4),
    )
)
_NEVER_V6 = tuple(
    (ip_network(network), what)
    for network, what in (
        ("::/128", "an unspecified address"),
        ("64:ff9b:1::/48", "a local translation address (NAT64)"),
        ("2001::/32", "a Teredo address"),
        ("2001::/23", "a protocol assignment"),
        ("2002::/16", "a 6to4 address"),
        ("fd00:ec2::/32", "an address of AWS's own services"),  # metadata, pods' roles, time
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("ff00::/8", "a multicast address"),
    )
)
_PRIVATE_V6 = tuple(
    (ip_network(network), what)
    for network, what in (
        ("::1/128", "a loopback address"),
        ("fc00::/7", "a private address"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
    )
)
_GLOBAL_V6 = ip_network("2000::/3")
_MAPPED = ip_network("::ffff:0:0/96")
_COMPATIBLE = ip_network("::/96")
_NAT64 = ip_network("64:ff9b::/96")


def reach_of(address: IPv4Address | IPv6Address) -> tuple[Reach, str]:
    """How far an address reaches, and what it is, in words for a message.

    An IPv6 address that carries an IPv4 address reaches as far as that one, but never counts as
    public: a way around rules is all that such an address is good for in an allowed public name.
    """
    if str(address) in _METADATA:
        return Reach.NEVER, "a metadata service's address"
    if isinstance(address, IPv4Address):
        return _reach_of_v4(address)
    if address.scope_id is not None:
        return Reach.NEVER, "an address with a zone"
    return _reach_of_v6(address)


def _reach_of_v4(address: IPv4Address) -> tuple[Reach, str]:
    for network, what in _NEVER_V4:
        if address in network:
            return Reach.NEVER, what
    for network, what in _PRIVATE_V4:
        if address in network:
            return Reach.PRIVATE, what
    return Reach.PUBLIC, "a public address"


def _reach_of_v6(address: IPv6Address) -> tuple[Reach, str]:
    for network, what in _NEVER_V6:
        if address in network:
            return Reach.NEVER, what
    for network, what in _PRIVATE_V6:
        if address in network:
            return Reach.PRIVATE, what
    for network, form in ((_MAPPED, "IPv4-mapped"), (_NAT64, "NAT64")):
        if address in network:
            reach, what = reach_of(IPv4Address(int(address) & 0xFFFFFFFF))
            return Reach.NEVER if reach is Reach.NEVER else Reach.PRIVATE, f"{what} ({form})"
    if address in _COMPATIBLE:
        return Reach.NEVER, "an IPv4-compatible address"
    if address not in _GLOBAL_V6:
        return Reach.NEVER, "outside the global address space"
    return Reach.PUBLIC, "a public address"
