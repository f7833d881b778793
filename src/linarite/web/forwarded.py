"""What proxies say of a client in a request's headers; asked only of proxies that are trusted.

Sources: RFC 7239 for `Forwarded`; `X-Forwarded-For` and its relatives are custom.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from linarite.web.addresses import plain_address

if TYPE_CHECKING:
    from linarite.web.addresses import Ranges
    from linarite.web.exchange import Exchange

FOR, FORWARDED = b"x-forwarded-for", b"forwarded"
PROTO, HOST, REAL = b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"
HONOURED = frozenset((FOR, FORWARDED, PROTO, HOST, REAL))
HOST_NAME = re.compile(rb"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
ELEMENT = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*')


class Hop(NamedTuple):
    """One station, as the next one saw it."""

    address: str
    """empty where it is hidden or no address"""
    proto: str = ""
    host: str = ""
    text: str = ""
    """as it stood in the header"""


def apply_forwarded(exchange: Exchange, trusted: Ranges) -> None:
    """Give a request the client, scheme and host that trusted proxies tell, and take these headers.

    The client is the right-most station that is no trusted proxy; what it says itself of others
    stays in the header, for those who only serve who comes directly. Where proxies forward and tell
    no client, there is none. The peer must be trusted.
    """
    named: dict[bytes, list[bytes]] = {}
    for name, value in exchange.headers:
        if name in HONOURED:
            named.setdefault(name, []).append(value)
    if not named:
        return
    hops, kept_name = _hops(named)
    begin = _told_from(hops, trusted)
    told = hops[begin] if hops else Hop("")
    _take_client(exchange, told.address)
    proto = told.proto or _last(named.get(PROTO))
    if proto.lower() in {"http", "https"}:
        exchange.secure = proto.lower() == "https"
    host = told.host or _last(named.get(HOST))
    rest = ", ".join(hop.text for hop in hops[:begin])
    headers = [pair for pair in exchange.headers if pair[0] not in HONOURED]
    if rest:
        headers.append((kept_name, rest.encode("latin-1")))
    if host and HOST_NAME.fullmatch(host.encode("latin-1", "replace")):
        headers = [pair for pair in headers if pair[0] != b"host"]
        headers.append((b"host", host.encode("latin-1")))
        exchange.server_name = ""  # the proxy's, not the client's
    exchange.headers = headers
    exchange.named = dict(headers)


def _hops(named: dict[bytes, list[bytes]]) -> tuple[list[Hop], bytes]:
    """The stations, in order, by `Forwarded` where there is one, else by `X-Forwarded-For`."""
    if FORWARDED in named:
        text = b",".join(named[FORWARDED]).decode("latin-1")
        return [_element(each) for each in _split(text)], FORWARDED
    text = b",".join(named.get(FOR, [])).decode("latin-1")
    found = [each.strip() for each in text.split(",") if each.strip()]
    return [Hop(_address(each), text=each) for each in found], FOR


def _told_from(hops: list[Hop], trusted: Ranges) -> int:
    """Where the stations begin that trusted proxies tell: the client, their own behind it."""
    for position in range(len(hops) - 1, -1, -1):
        if not hops[position].address or hops[position].address not in trusted:
            return position
    return 0


def _take_client(exchange: Exchange, told: str) -> None:
    """The first of the stations that are told is the client, if it is any that could reach us.

    Otherwise nothing is known of the client: the proxy's own address would lend everybody what the
    proxy may do.
    """
    peer, exchange.client = exchange.client, None
    if told and may_be_told(told, peer[0] if peer is not None else None):
        exchange.client = (told, 0)


def may_be_told(client: str, peer: str | None) -> bool:
    """Whether a proxy may speak for an address: another machine's loopback is not ours."""
    address = plain_address(client)
    if address.is_unspecified or address.is_multicast:
        return False
    return not address.is_loopback or peer is None or plain_address(peer).is_loopback


def _split(text: str) -> list[str]:
    """The elements of `Forwarded`; commas within quotes are no ends."""
    return [each for each in re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+', text) if each.strip()]


def _element(text: str) -> Hop:
    pairs = {
        name.lower(): re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        for name, value in ELEMENT.findall(text)
    }
    return Hop(
        _address(pairs.get("for", "")),
        pairs.get("proto", ""),
        pairs.get("host", ""),
        text.strip(),
    )


def _address(text: str) -> str:
    """An address without its port; "" for `unknown`, hidden names and anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip_address(text)
        return str(plain_address(text))
    except ValueError:
        return ""


def _last(values: list[bytes] | None) -> str:
    """The word of the nearest proxy: what it did not replace it has put at the end."""
    return values[-1].decode("latin-1").rpartition(",")[2].strip() if values else ""
