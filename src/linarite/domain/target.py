"""Where a URL leads: strictly parsed, so that no two readers can understand it differently."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

import msgspec

from linarite.domain.errors import EgressRefused, SetupError

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:\[(?P<v6>[0-9a-f]{0,4}:[0-9a-f:.]{1,45})\]|(?P<host>[^\x00-\x20/?#@:\\\[\]%]{1,255}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[^\x00-\x20?#\\\x7f-\U0010ffff]*)?(?:\?[^\x00-\x20#\\\x7f-\U0010ffff]*)?)",
    # Without ASCII, `s` without case would also be a long s.
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT_MAX = 65535
_HOST_CHARACTERS_MAX = 253


class Target(msgspec.Struct, frozen=True):
    """The parts of an http or https URL."""

    tls: bool
    host: str
    """normalised as `host_of` does"""
    port: int
    path: str
    """begins with `/`; with the query, if there is one"""

    @property
    def host_header(self) -> str:
        """The value of the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def read_on_the_way(self) -> bool:
        """Whether others may read what is sent there: without TLS, and to another machine."""
        return not self.tls and not is_loopback(self.host)


def target_of(url: str) -> Target:
    """Parse an absolute http or https URL.

    Refused, because some parser somewhere reads it differently: user information, fragments,
    spaces, control characters, backslashes, percent signs in the host, an empty or impossible
    port, addresses in any but their usual form. Raises EgressRefused.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise EgressRefused(
            "A URL must look like https://host/path, optionally with a port, and hold no user "
            f"information, fragment, space, backslash or control character: {url[:200]!r}."
        )
    tls = found["scheme"].lower() == "https"
    port = int(found["port"]) if found["port"] else (443 if tls else 80)
    if not 0 < port <= _PORT_MAX:
        raise EgressRefused(f"A port is between 1 and {_PORT_MAX}: {url[:200]!r}.")
    path = found["path"]
    return Target(
        tls=tls,
        host=host_of(found["v6"] or found["host"]),
        port=port,
        path=path if path.startswith("/") else f"/{path}",
    )


def configured_target(url: str, *, allow_plain_http: bool, section: str = "") -> Target:
    """Where settings say that a service is: over TLS, unless it is this machine or may be plain.

    `section` is what names of settings begin with there (`otlp.`). Raises SetupError, which says
    what is wrong with the URL but not which setting it is.
    """
    try:
        target = target_of(url)
    except EgressRefused as refused:
        raise SetupError(refused.message) from None
    if "?" in target.path:
        raise SetupError(
            "it ends with a path, maybe, and has no '?': what opens it has settings of its own."
        )
    if target.read_on_the_way and not allow_plain_http:
        raise SetupError(
            f"what is sent to {target.host} would go unencrypted. Use https, or set "
            f"{section}allow_plain_http = true where the network between is trusted."
        )
    return target


def host_of(text: str) -> str:
    """A host name or address in its one normal form.

    Names: lower case, without the trailing dot, international ones in their ASCII form.
    Addresses: dotted decimal, or IPv6 compressed and without brackets. Raises EgressRefused for
    what is neither, and for numbers that only some resolvers take for an address (0x7f.1).
    """
    if ":" in text:
        return _address_of(text)
    name = text.lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise EgressRefused(f"This is not a host name: {text[:200]!r}.") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _address_of(name)
    if len(name) > _HOST_CHARACTERS_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise EgressRefused(f"This is not a host name: {text[:200]!r}.")
    return name


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a normal host is, None when it is a name."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host; of names, only `localhost` is sure to be so."""
    address = literal_address(host)
    return host == "localhost" if address is None else address.is_loopback


def _address_of(text: str) -> str:
    try:
        address = IPv6Address(text) if ":" in text else IPv4Address(text)
    except AddressValueError:
        raise EgressRefused(
            f"Write an address as four decimal numbers, or as IPv6: {text[:200]!r} is neither."
        ) from None
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise EgressRefused(f"An address with a zone cannot be connected to: {text[:200]!r}.")
    return str(address)
