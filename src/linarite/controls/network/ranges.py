"""Ranges of addresses as stretches in ascending order, and the one that an address lies in."""

from __future__ import annotations

from bisect import bisect_right
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from linarite.domain.address_ranges import AddressRanges

if TYPE_CHECKING:
    from collections.abc import Iterable

MAPPED_BITS = 96
"""of the prefix of IPv4-mapped addresses"""


def compiled(named: Iterable[tuple[IPv4Network | IPv6Network, str]]) -> AddressRanges:
    """Networks of one kind, each with the rule that names it.

    Networks lie within one another or apart. Where several name an address, the smallest decides;
    of two that are equal, the first.
    """
    cuts: list[tuple[int, str]] = []
    around: list[tuple[int, int, str]] = []

    def cut(at: int, rule: str) -> None:
        if cuts and cuts[-1][0] == at:
            cuts.pop()
        cuts.append((at, rule))

    def leave_those_before(first: int | None) -> None:
        while around and (first is None or around[-1][1] < first):
            _, last, _ = around.pop()
            cut(last + 1, around[-1][2] if around else "")

    spans = [(int(net.network_address), int(net.broadcast_address), rule) for net, rule in named]
    for first, last, rule in sorted(spans, key=lambda span: (span[0], -span[1])):
        leave_those_before(first)
        if around and around[-1][:2] == (first, last):
            continue
        cut(first, rule)
        around.append((first, last, rule))
    leave_those_before(None)
    return AddressRanges(starts=tuple(at for at, _ in cuts), rules=tuple(rule for _, rule in cuts))


def by_kind(
    named: Iterable[tuple[IPv4Network | IPv6Network, str]],
) -> tuple[AddressRanges, AddressRanges]:
    """Networks of both kinds: what names IPv4 addresses, and what names IPv6 addresses."""
    meant = [(_plain(net), rule) for net, rule in named]
    v4, v6 = (
        compiled((net, rule) for net, rule in meant if net.version == version) for version in (4, 6)
    )
    return v4, v6


def _plain(net: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A range of IPv4-mapped addresses (`::ffff:…`) as the IPv4 range that it is."""
    inner = net.network_address.ipv4_mapped if isinstance(net, IPv6Network) else None
    if inner is None or net.prefixlen < MAPPED_BITS:
        return net
    return IPv4Network((inner, net.prefixlen - MAPPED_BITS))


def rule_over(address: int, ranges: AddressRanges) -> str:
    """The rule that names an address; "" for none."""
    place = bisect_right(ranges.starts, address) - 1
    return ranges.rules[place] if place >= 0 else ""
