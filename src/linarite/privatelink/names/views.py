"""Which zones are seen from where.

From outside, an account with a private endpoint is an alias of its name in the private zone, and
that leads to the public side. In a network, the private zones that are linked to it stand before
that: the same name leads to the endpoint. Source: learn.microsoft.com, "Azure private endpoint DNS
integration".
"""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol, cast

from linarite.domain.account_names import hosts_of, private_zones
from linarite.domain.private_link import APEX, RECORD_TTL_S, RECORDS, ZONE_TYPE, is_approved
from linarite.domain.resource import domain_of
from linarite.privatelink.names.zone import NEGATIVE_TTL_S, RecordSet, Zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from linarite.domain.resource import Resource
    from linarite.privatelink.book import PrivateLinkBook

TTL_S = 60
"""of what changes with the settings alone"""
PUBLIC = "public"
"""what the public side is called, below the domain"""
SERVER = "ns"
"""what a responder is called, below the domain"""
REDIRECT = "NxDomainRedirect"


class View(Protocol):
    """The zones that a client may ask for."""

    def zones(self) -> Sequence[Zone]:
        """Those with the longest names first."""
        ...


class PublicView:
    """What is seen from outside all networks: the server's domain."""

    def __init__(
        self, book: PrivateLinkBook, public_addresses: Sequence[str], own_address: str
    ) -> None:
        """`own_address` is the responder's."""
        self._book = book
        self._public = tuple(public_addresses)
        self._own = own_address
        self._edition = -1
        self._zones: tuple[Zone, ...] = ()
        self._began = int(time.time())

    @property
    def serial(self) -> int:
        """Grows with every change, also over restarts."""
        return (self._began + self._book.edition) % 2**32

    def zones(self) -> Sequence[Zone]:
        """The one, made anew when something has changed."""
        if self._edition != self._book.edition:
            self._zones = tuple(self._made())
            self._edition = self._book.edition
        return self._zones

    def _made(self) -> Iterator[Zone]:
        yield Zone(self._book.suffix, self._records())

    def authority_of(self, zone: str) -> Iterator[RecordSet]:
        """The SOA and NS records that a zone begins with."""
        server = f"{SERVER}.{self._book.suffix}"
        numbers = f"{self.serial} 3600 300 2419200 {NEGATIVE_TTL_S}"
        soa = f"{server}. hostmaster.{self._book.suffix}. {numbers}"
        yield RecordSet(zone, "SOA", TTL_S, (soa,))
        yield RecordSet(zone, "NS", TTL_S, (f"{server}.",))

    def _records(self) -> Iterator[RecordSet]:
        suffix = self._book.suffix
        public = f"{PUBLIC}.{suffix}."
        yield from self.authority_of(suffix)
        yield from _addresses(f"{SERVER}.{suffix}", (self._own,))
        for name in (suffix, f"{PUBLIC}.{suffix}"):
            yield from _addresses(name, self._public)
        for account in self._book.accounts():
            word = domain_of(account)
            connected = any(map(is_approved, self._book.connections_of(account.id)))
            for name, zone in zip(hosts_of(word, suffix), private_zones(suffix), strict=True):
                if connected:
                    private = f"{word}.{zone}"
                    yield RecordSet(name, "CNAME", RECORD_TTL_S, (f"{private}.",))
                    yield RecordSet(private, "CNAME", RECORD_TTL_S, (public,))
                else:
                    yield RecordSet(name, "CNAME", RECORD_TTL_S, (public,))


class NetworkView(PublicView):
    """What is seen in a network: the private zones that are linked to it, before all others."""

    def __init__(
        self,
        book: PrivateLinkBook,
        public_addresses: Sequence[str],
        own_address: str,
        virtual_network_id: str,
    ) -> None:
        """Links name the virtual network."""
        super().__init__(book, public_addresses, own_address)
        self._virtual_network_id = virtual_network_id

    def _made(self) -> Iterator[Zone]:
        by_name: dict[str, list[tuple[Resource, Resource]]] = {}
        for name, zone, link in self._book.zones_of(self._virtual_network_id):
            by_name.setdefault(name, []).append((zone, link))
        for name, linked in by_name.items():
            records = [
                record
                for zone, _ in linked
                for each in self._book.records(zone.id)
                if (record := record_set(each, zone.name.lower(), name)) is not None
            ]
            policies = {link.properties.get("resolutionPolicy") for _, link in linked}
            yield Zone(name, [*self.authority_of(name), *records], redirects=REDIRECT in policies)
        yield from super()._made()


def record_set(resource: Resource, zone: str, answered_as: str) -> RecordSet | None:
    """A record set of a private zone; None for one without records.

    `answered_as` is the zone's own name, or the one of this server that it stands for.
    """
    word = resource.type.removeprefix(f"{ZONE_TYPE}/")
    said: Any = resource.properties.get(RECORDS.get(word, "")) or []
    records = cast("list[dict[str, Any]]", said if isinstance(said, list) else [said])
    values = tuple(text for each in records if (text := _written(word, each, zone, answered_as)))
    name = resource.name.lower()
    owner = answered_as if name == APEX else f"{name}.{answered_as}"
    ttl = int(resource.properties.get("ttl") or 0)
    return RecordSet(owner, word, ttl, values) if values else None


def _written(word: str, record: dict[str, Any], zone: str, answered_as: str) -> str:
    """A record as zone files write it; "" for a type that is not answered."""
    if word in {"A", "AAAA"}:
        return str(record.get("ipv4Address") or record.get("ipv6Address") or "")
    if word == "TXT":
        pieces = cast("list[str]", record.get("value") or [])
        return " ".join(_quoted(piece) for piece in pieces)
    names = {"CNAME": "cname", "PTR": "ptrdname", "MX": "exchange", "SRV": "target"}
    if word not in names:
        return ""
    target = _as_answered(str(record.get(names[word]) or ""), zone, answered_as)
    before = {"MX": ("preference",), "SRV": ("priority", "weight", "port")}.get(word, ())
    return " ".join([*(str(int(record.get(each) or 0)) for each in before), target])


def _as_answered(name: str, zone: str, answered_as: str) -> str:
    """A name that a record leads to; one in the zone itself under the name that was asked for."""
    lowered = name.lower().rstrip(".")
    if lowered == zone or lowered.endswith(f".{zone}"):
        lowered = lowered.removesuffix(zone) + answered_as
    return f"{lowered}."


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _addresses(name: str, addresses: Sequence[str]) -> Iterator[RecordSet]:
    for kind, version in (("A", 4), ("AAAA", 6)):
        values = tuple(each for each in addresses if ip_address(each).version == version)
        if values:
            yield RecordSet(name, kind, TTL_S, values)
