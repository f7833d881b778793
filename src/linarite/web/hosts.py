"""Which names this server answers to, and which account or region a name is of.

A web page may have its own name mean this machine (DNS rebinding); its requests carry that name,
so a name that is not known is refused before anything else is looked at.
"""

from __future__ import annotations

import re
import socket
from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from linarite.domain.account_names import ANY_SITE, Site, site_of
from linarite.domain.network_errors import HostMalformed, HostMisdirected, HostUnknown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.web.exchange import Exchange
    from linarite.web.options import Server

REMEMBERED_MAX = 1024
REMEMBERED_CHARACTERS_MAX = 300
"""a longer header is no client's usual one"""
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_][a-z0-9_.-]*)(?::[0-9]{0,5})?", re.IGNORECASE)
IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
NEVER_PUBLIC = (".localhost", ".internal")
"""names that nobody can register: RFC 6761, 6.3, and ICANN's reservation of `internal`"""
EVERYTHING = "*"


class Hosts:
    """The names of this server. One look-up by the header's bytes in the usual case."""

    def __init__(self, options: Server, names: Iterable[str] = ()) -> None:
        """`names` are those of the served certificates, `*.example.com` among them."""
        self._suffix = options.domain
        said = (*options.hosts, *options.local_names, options.host)
        self._said = frozenset(name.lower().rstrip(".") for name in said)
        self._off = EVERYTHING in self._said
        self.known: dict[bytes | None, Site] = {}
        """what Host headers name that were looked at before"""
        self._by_tls: dict[str, Site] = {}
        """the same of names that TLS was set up for"""
        self.certify(names)

    def certify(self, names: Iterable[str]) -> None:
        """Answer to the names of the certificates that are served from now on, in lower case."""
        own = self._said | {name.lower().rstrip(".") for name in names}
        own |= {self._suffix, socket.gethostname().lower()}
        self._exact = frozenset(name for name in own if not name.startswith("*."))
        self._below = (
            *NEVER_PUBLIC,
            f".{self._suffix}",
            *(name[1:] for name in own if name.startswith("*.")),
        )
        self.known.clear()

    def site(self, exchange: Exchange) -> Site:
        """What a request's Host header names. Raises HostMalformed, HostUnknown, HostMisdirected.

        HTTP/1.0 has requests without one.
        """
        header = exchange.named.get(b"host")
        if header is None:
            if exchange.http_1_0:
                if exchange.server_name:
                    self._require_same_account(exchange.server_name, ANY_SITE, b"")
                return ANY_SITE
            raise HostMalformed("An HTTP/1.1 request has a Host header")
        several = len(exchange.named) != len(exchange.headers)  # of some header, maybe of this
        if several and sum(name == b"host" for name, _ in exchange.headers) > 1:
            raise HostMalformed("A request has one Host header, not several")
        site = self.known.get(header)
        if site is None:
            site = self._judged(header)
            remember(self.known, header, site)
        if exchange.server_name:
            self._require_same_account(exchange.server_name, site, header)
        return site

    def _judged(self, header: bytes) -> Site:
        name = named_in(header)
        site = site_of(name, self._suffix)
        if site is ANY_SITE and not self._is_own(name):
            raise HostUnknown(name)
        return site

    def _is_own(self, name: str) -> bool:
        return (
            self._off
            or "." not in name  # one label, or IPv6 in brackets: no name of the public DNS
            or name in self._exact
            or name.endswith(self._below)
            or IPV4.fullmatch(name) is not None
        )

    def _require_same_account(self, server_name: str, site: Site, header: bytes) -> None:
        """What TLS was set up for (SNI) names the account that the request is for, or none."""
        by_tls = self._by_tls.get(server_name)
        if by_tls is None:
            by_tls = site_of(server_name.lower().removesuffix("."), self._suffix)
            remember(self._by_tls, server_name, by_tls)
        if by_tls is not ANY_SITE and (by_tls.account, by_tls.region) != (
            site.account,
            site.region,
        ):
            raise HostMisdirected(server_name, header.decode("latin-1"))


def remember(known: dict[Any, Site], name: bytes | str, site: Site) -> None:
    """Keep what a name names: so many names and no more."""
    if len(known) >= REMEMBERED_MAX:
        known.clear()
    if len(name) <= REMEMBERED_CHARACTERS_MAX:
        known[name] = site


def named_in(header: bytes) -> str:
    """The host in a Host header: lower case, no port, no dot at its end. Raises HostMalformed."""
    found = HOST.fullmatch(header.decode("latin-1"))
    name = found[1].lower().removesuffix(".") if found else ""
    if name.startswith("["):
        try:
            IPv6Address(name[1:-1])
        except ValueError:
            name = ""
    if not name or ".." in name:
        raise HostMalformed("The Host header names no host")
    return name
