"""CIDR functions. Source: "CIDR functions for ARM templates"."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, TypeAlias

from linarite.controlplane.templates.functions.builtin import Builtin, pure
from linarite.controlplane.templates.problems import ExpressionFailed
from linarite.controlplane.templates.values import integer, text

if TYPE_CHECKING:
    from linarite.controlplane.templates.values import Value

_Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"


def parse_cidr(notation: Value) -> Value:
    """What a network consists of."""
    network = _network(notation)
    first, last = network.network_address, network.broadcast_address
    known: dict[str, Value] = {
        "network": str(first),
        "netmask": str(network.netmask),
        "cidr": network.prefixlen,
    }
    if network.version == 6:  # noqa: PLR2004 - the number is its name
        return {**known, "firstUsable": str(first), "lastUsable": str(last)}
    edge = 1 if network.num_addresses > 2 else 0  # noqa: PLR2004 - the network's own and broadcast
    return {
        **known,
        "broadcast": str(last),
        "firstUsable": str(first + edge),
        "lastUsable": str(last - edge),
    }


def cidr_subnet(notation: Value, prefix: Value, index: Value) -> Value:
    """The network's part of a size, at an index."""
    network, bits, at = _network(notation), integer(prefix), integer(index)
    if not network.prefixlen <= bits <= network.max_prefixlen:
        raise ExpressionFailed(f"A subnet of /{bits} does not fit into {network}.")
    if not 0 <= at < 1 << (bits - network.prefixlen):
        raise ExpressionFailed(f"{network} has no subnet /{bits} with index {at}.")
    start = int(network.network_address) + (at << (network.max_prefixlen - bits))
    return f"{type(network.network_address)(start)}/{bits}"


def cidr_host(notation: Value, index: Value) -> Value:
    """The usable address at an index."""
    network, at = _network(notation), integer(index)
    if not 0 <= at < network.num_addresses - 2:
        raise ExpressionFailed(f"{network} has no usable address with index {at}.")
    return str(network.network_address + 1 + at)


def _network(notation: Value) -> _Network:
    try:
        return ipaddress.ip_network(text(notation), strict=False)
    except ValueError:
        raise ExpressionFailed(
            f"'{text(notation)[:100]}' is not a network in CIDR notation."
        ) from None


NETWORKS: dict[str, Builtin] = {
    "cidrHost": pure(cidr_host, 2),
    "cidrSubnet": pure(cidr_subnet, 3),
    "parseCidr": pure(parse_cidr),
}
