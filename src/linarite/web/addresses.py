"""Addresses of clients: ranges that are trusted, and how many connections each one has."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from ipaddress import IPv4Address, IPv4Network, IPv6Network

UNIX = "unix"
"""stands for whoever may open the unix socket"""
REMEMBERED_MAX = 10_000


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """An address as it is meant: without zone, IPv4 where it is mapped. Raises ValueError."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def peer_of(peername: object) -> tuple[str, int] | None:
    """Whose a socket's other end is, IPv4 as such; None for a unix socket's."""
    if not isinstance(peername, tuple):
        return None
    host, port = cast("tuple[str, int]", peername[:2])
    return (str(plain_address(host)) if ":" in host else host), port


class Ranges:
    """Addresses and networks, as settings name them."""

    def __init__(self, named: Iterable[str], setting: str) -> None:
        """Raises SetupError, which names the setting."""
        said = list(named)
        self.has_unix = UNIX in said
        self._networks: list[IPv4Network | IPv6Network] = []
        for each in said:
            if each == UNIX:
                continue
            try:
                self._networks.append(ip_network(each, strict=False))
            except ValueError:
                raise SetupError(
                    f"{setting} has '{each}', which is neither an address, nor a range such as "
                    "10.0.0.0/24, nor `unix`."
                ) from None
        self._remembered: dict[str, bool] = {}

    def __bool__(self) -> bool:
        """Whether there are any."""
        return self.has_unix or bool(self._networks)

    def __contains__(self, text: str) -> bool:
        """Whether an address is in one of them; what is none is not."""
        known = self._remembered.get(text)
        if known is None:
            if len(self._remembered) >= REMEMBERED_MAX:
                self._remembered.clear()
            known = self._remembered[text] = self._has(text)
        return known

    def trusts(self, peer: str | None) -> bool:
        """Whether the peer of a connection is one: by its address, None at a unix socket."""
        return self.has_unix if peer is None else peer in self

    def _has(self, text: str) -> bool:
        try:
            address = plain_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def place_of(text: str) -> str:
    """What counts as one client: an IPv4 address, or an IPv6 /64, which one machine may have."""
    if ":" not in text:
        return text
    address = plain_address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address)


class PlaceCounts:
    """How many connections each client has now."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def enter(self, place: str, most: int) -> bool:
        """Count one more, unless there are `most` of them."""
        now = self._counts[place]
        if now >= most:
            return False
        self._counts[place] = now + 1
        return True

    def leave(self, place: str) -> None:
        """One less."""
        left = self._counts[place] - 1
        if left > 0:
            self._counts[place] = left
        else:
            del self._counts[place]

    def __len__(self) -> int:
        """How many clients are connected."""
        return len(self._counts)
