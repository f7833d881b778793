"""Addresses: what counts as one client, and who is in a range."""

from __future__ import annotations

import pytest

from linarite.domain.errors import SetupError
from linarite.web.addresses import PlaceCounts, Ranges, peer_of, place_of


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_a_client_is_an_address_or_a_64(address: str, place: str) -> None:
    """One machine may have a whole /64 of IPv6."""
    assert place_of(address) == place


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("10.0.0.9", True),
        ("::ffff:10.0.0.9", True),
        ("10.0.1.0", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("192.0.2.1", True),
        ("nobody", False),
        ("", False),
    ],
)
def test_ranges_have_addresses_however_they_are_written(address: str, *, within: bool) -> None:
    """IPv4 in IPv6's clothes too; what is no address is in no range."""
    ranges = Ranges(["10.0.0.0/24", "2001:db8::/32", "192.0.2.1"], "server.trusted_proxies")
    assert (address in ranges) is within
    assert (address in ranges) is within  # as remembered


def test_a_unix_sockets_peer_is_trusted_by_name() -> None:
    """Whoever may open it, and only where settings say so."""
    assert Ranges(["unix"], "x").trusts(None)
    assert not Ranges(["10.0.0.0/8"], "x").trusts(None)
    assert not Ranges(["unix"], "x").trusts("127.0.0.1")
    assert not Ranges([], "x")


def test_what_is_no_range_is_told() -> None:
    """With its setting."""
    with pytest.raises(SetupError, match=r"listeners\.a\.trusted_proxies has '10\.0\.0'"):
        Ranges(["10.0.0"], "listeners.a.trusted_proxies")


def test_counts_are_given_back() -> None:
    """Nothing is remembered of who has gone, nor of who was refused."""
    counts = PlaceCounts()
    assert counts.enter("a", 2)
    assert counts.enter("a", 2)
    assert not counts.enter("a", 2)
    assert not counts.enter("b", 0)
    assert len(counts) == 1
    counts.leave("a")
    assert counts.enter("a", 2)
    counts.leave("a")
    counts.leave("a")
    assert len(counts) == 0


def test_peers_are_told_as_ipv4_where_they_are() -> None:
    """A socket for both families tells IPv4 mapped, and local addresses with their zones."""
    assert peer_of(("::ffff:192.0.2.7", 5, 0, 0)) == ("192.0.2.7", 5)
    assert peer_of(("fe80::1%2", 5, 0, 2)) == ("fe80::1", 5)
    assert peer_of(("192.0.2.7", 5)) == ("192.0.2.7", 5)
    assert peer_of("") is None
