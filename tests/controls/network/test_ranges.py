"""Which rule names an address: against Python's own arithmetic of networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from hypothesis import example, given
from hypothesis import strategies as st

from linarite.controls.network.ranges import compiled, rule_over

Network = IPv4Network | IPv6Network


@st.composite
def networks(draw: st.DrawFn, bits: int) -> list[Network]:
    """Networks that share much of their addresses, so that they nest, touch and are equal."""
    kind = IPv4Network if bits == 32 else IPv6Network
    made: list[Network] = []
    for _ in range(draw(st.integers(0, 12))):
        prefix = draw(st.one_of(st.integers(0, bits), st.integers(bits - 6, bits)))
        low = draw(st.integers(0, 127))
        top = draw(st.sampled_from([0, 10 << (bits - 8), (1 << bits) - 128]))
        made.append(kind((top | low, prefix), strict=False))
    return made


def expected(address: int, named: list[Network]) -> set[str]:
    """The smallest networks that an address is in; the first of equal ones."""
    kind = IPv4Address if not named or named[0].version == 4 else IPv6Address
    inside = [net for net in named if kind(address) in net]
    if not inside:
        return {""}
    smallest = max(net.prefixlen for net in inside)
    return {str(next(net for net in inside if net.prefixlen == smallest))}


@given(data=st.data(), bits=st.sampled_from([32, 128]))
def test_the_smallest_network_that_names_an_address_decides(data: st.DataObject, bits: int) -> None:
    """At every edge of every network, and anywhere."""
    named = data.draw(networks(bits))
    ranges = compiled((net, str(net)) for net in named)
    assert list(ranges.starts) == sorted(set(ranges.starts))
    most = (1 << bits) - 1
    edges = {0, most, data.draw(st.integers(0, most))}
    for net in named:
        first, last = int(net.network_address), int(net.broadcast_address)
        edges |= {first, last, max(first - 1, 0), min(last + 1, most)}
    for address in edges:
        assert {rule_over(address, ranges)} == expected(address, named)


@given(st.integers(0, 2**32 - 1))
@example(0)
def test_no_ranges_name_nobody(address: int) -> None:
    """Nothing compiled, nothing found."""
    assert rule_over(address, compiled([])) == ""


def test_of_two_that_are_equal_the_first_decides() -> None:
    """So that an explanation is the same each time."""
    net = IPv4Network("10.0.0.0/8")
    assert rule_over(int(IPv4Address("10.1.1.1")), compiled([(net, "a"), (net, "b")])) == "a"
