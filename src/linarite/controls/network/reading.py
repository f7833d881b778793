"""From an account's properties to its rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, cast

from linarite.controls.network.ranges import compiled
from linarite.domain.network import OPEN, NetworkRules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RangesOf = Callable[[str], Sequence[str]]
"""the ranges of addresses that a subnet has, by its resource id; none for an unknown one"""
MAPPED_BITS = 96
"""of the prefix of IPv4-mapped addresses"""


def rules_of(
    properties: Mapping[str, Any], ranges_of: RangesOf, trusted: frozenset[str] = frozenset()
) -> NetworkRules:
    """The rules that the properties of an account state; `OPEN` itself where they exclude nobody.

    `trusted` are the object ids of services that a bypass lets pass. Whatever is not understood
    opens nothing. Source: `AccountProperties` of Microsoft.CognitiveServices.
    """
    public = str(properties.get("publicNetworkAccess") or "Enabled").lower() == "enabled"
    acls = cast("dict[str, Any]", properties.get("networkAcls") or {})
    allow_others = str(acls.get("defaultAction") or "Allow").lower() == "allow"
    if public and allow_others:
        return OPEN
    bypass = str(acls.get("bypass") or "None").lower() == "azureservices"
    named = [] if allow_others else list(_named(acls, ranges_of))
    return NetworkRules(
        public_access=public,
        allow_others=allow_others,
        v4=compiled((net, rule) for net, rule in named if net.version == 4),  # noqa: PLR2004
        v6=compiled((net, rule) for net, rule in named if net.version == 6),  # noqa: PLR2004
        trusted=trusted if bypass else frozenset(),
    )


def _named(
    acls: dict[str, Any], ranges_of: RangesOf
) -> Iterator[tuple[IPv4Network | IPv6Network, str]]:
    """The ranges that rules name, each with the rule as explanations name it."""
    for rule in cast("list[dict[str, Any]]", acls.get("ipRules") or []):
        value = str(rule.get("value"))
        try:
            yield plain(ip_network(value, strict=False)), f"ipRule {value}"
        except ValueError:  # nobody could write it; it names nobody
            continue
    for rule in cast("list[dict[str, Any]]", acls.get("virtualNetworkRules") or []):
        subnet = str(rule.get("id"))
        for text in ranges_of(subnet):
            yield plain(ip_network(text, strict=False)), f"virtualNetworkRule {subnet}"


def plain(net: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A range of IPv4-mapped addresses (`::ffff:…`) as the IPv4 range that it is."""
    inner = net.network_address.ipv4_mapped if isinstance(net, IPv6Network) else None
    if inner is None or net.prefixlen < MAPPED_BITS:
        return net
    return IPv4Network((inner, net.prefixlen - MAPPED_BITS))
