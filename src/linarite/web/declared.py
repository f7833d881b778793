"""What settings may say about listeners together, which one field's type can't tell."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.domain.target import is_loopback
from linarite.web.addresses import Ranges
from linarite.web.binding import UNIX_PREFIX
from linarite.web.client_certificates import tidy_issuer, tidy_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.web.options import ClientCertificateSettings, ListenerSettings, Server

NAME = re.compile(r"[a-zA-Z0-9][\w.-]{0,63}")
TAKEN = frozenset(("default", "https"))
"""names of the listeners that `[server]` declares"""
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_listeners(
    server: Server,
    listeners: Mapping[str, ListenerSettings],
    clients: Mapping[str, ClientCertificateSettings],
) -> None:
    """Raise SetupError for what can't be right, with what to change."""
    check_server(server)
    for name, listener in listeners.items():
        check_listener(name, listener)
    for name, client in clients.items():
        check_client(name, client, listeners)


def check_server(server: Server) -> None:
    """`[server]` by itself. Raises SetupError."""
    if bool(server.tls_certificate) != bool(server.tls_key):
        raise SetupError(
            "server.tls_certificate and server.tls_key belong together: set both, or neither."
        )
    if server.tls_ca_file and not server.tls_certificate:
        raise SetupError(
            "server.tls_ca_file says whom to trust for server.tls_certificate: set that too."
        )
    plain_outside = not is_loopback(server.host) and not server.has_tls
    if plain_outside and not server.plaintext_beyond_loopback:
        raise SetupError(
            f"server.host is '{server.host}', which other machines reach, without TLS. Set "
            "server.tls_certificate and server.tls_key, or server.tls = true for the local "
            "authority's certificate, or listen on 127.0.0.1, or set "
            "server.plaintext_beyond_loopback = true if something in front ends TLS."
        )
    check_proxies("server", server.trusted_proxies, needed=server.proxy_protocol)


def check_listener(name: str, listener: ListenerSettings) -> None:
    """One `[listeners.NAME]`. Raises SetupError."""
    section = f"listeners.{name}"
    if not NAME.fullmatch(name) or name in TAKEN:
        raise SetupError(
            f"{section}: a name has up to 64 letters, digits, '_', '.' and '-', and is none of "
            f"{', '.join(sorted(TAKEN))}."
        )
    if listener.address.startswith(UNIX_PREFIX):
        if not listener.address.startswith(f"{UNIX_PREFIX}/"):
            raise SetupError(f"{section}.address must have a whole path: unix:/run/linarite.sock")
    else:
        _check_address(section, listener)
    if listener.client_certificates == "none":
        if listener.client_ca_files or listener.client_crl_files:
            raise SetupError(
                f"{section} has client_ca_files or client_crl_files, but asks for no certificates: "
                'set client_certificates = "optional" or "required".'
            )
    elif not listener.tls:
        raise SetupError(f"{section}.client_certificates wants tls = true.")
    check_proxies(section, listener.trusted_proxies, needed=listener.proxy_protocol)


def _check_address(section: str, listener: ListenerSettings) -> None:
    try:
        ip_address(listener.address)
    except ValueError:
        raise SetupError(
            f"{section}.address is '{listener.address}', which is neither an IPv4 or IPv6 address "
            "nor unix:/path."
        ) from None
    outside = not listener.tls and not is_loopback(listener.address)
    if outside and not listener.plaintext_beyond_loopback:
        raise SetupError(
            f"{section} has tls = false at '{listener.address}', which other machines reach. Set "
            "tls = true, or plaintext_beyond_loopback = true if something in front ends TLS."
        )


def check_proxies(section: str, trusted: list[str], *, needed: bool) -> None:
    """The ranges of proxies. Raises SetupError."""
    if not Ranges(trusted, f"{section}.trusted_proxies") and needed:
        raise SetupError(
            f"{section}.proxy_protocol is true, but {section}.trusted_proxies names nobody whose "
            "PROXY headers to believe: nobody could connect."
        )


def check_client(
    name: str,
    client: ClientCertificateSettings,
    listeners: Mapping[str, ListenerSettings],
) -> None:
    """One `[client_certificates.NAME]`. Raises SetupError."""
    section = f"client_certificates.{name}"
    if not (client.thumbprint or client.subject or client.name):
        raise SetupError(
            f"{section}: say which certificate it is by thumbprint, subject or name; everybody "
            "with a certificate would be that principal otherwise."
        )
    if not GUID.fullmatch(client.principal):
        raise SetupError(
            f"{section}.principal is '{client.principal}', which is no object id: "
            "`linarite identity principal list` and `linarite identity user list` show them."
        )
    if client.name:
        try:
            tidy_name(client.name)
        except ValueError as problem:
            raise SetupError(f"{section}.name is '{client.name}': {problem}.") from None
    _check_issuer(section, client)
    for each in client.listeners:
        listener = listeners.get(each)
        if listener is None or listener.client_certificates == "none":
            raise SetupError(
                f"{section}.listeners names '{each}', which is no listener that asks for "
                f"certificates. Set listeners.{each}.client_certificates."
            )


def _check_issuer(section: str, client: ClientCertificateSettings) -> None:
    """Subjects and names are what an authority says: whose word counts must be said."""
    if not (client.thumbprint or client.issuer or client.listeners):
        raise SetupError(
            f"{section}: say whose certificates it means. Any authority that any listener trusts "
            "could issue one with this subject or name: set issuer to the authority's subject "
            f"or the SHA-256 of its key, or {section}.listeners to those whose client_ca_files "
            "may all issue it."
        )
    if not client.issuer:
        return
    try:
        tidy_issuer(client.issuer)
    except ValueError:
        raise SetupError(
            f"{section}.issuer is '{client.issuer}', which is neither a subject as in RFC 4514 "
            "(CN=Clients,O=Contoso) nor the SHA-256 of a public key in hexadecimal."
        ) from None
