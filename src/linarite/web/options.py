"""What settings say about listening."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from linarite.domain.arrival import Plane


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a listener asks of its connections: how many, how quick, and through whom."""

    keep_alive_s: Annotated[
        float, Meta(description="Seconds an idle connection is kept open.", gt=0, le=3600)
    ] = 65.0
    keep_alive_requests_max: Annotated[
        int, Meta(description="Requests on one connection before it is closed; 0: any.", ge=0)
    ] = 0
    handshake_s: Annotated[
        float,
        Meta(
            description="Seconds until a PROXY header and a TLS handshake have come, each.",
            gt=0,
            le=600,
        ),
    ] = 10.0
    head_s: Annotated[
        float,
        Meta(
            description="Seconds until a request's head has come whole, from its first byte on; "
            "the first one's from the connection's beginning. A body has limits.body_read_s.",
            gt=0,
            le=600,
        ),
    ] = 30.0
    connections_max: Annotated[
        int,
        Meta(
            description="Open connections at once, those in a TLS handshake too. More are refused: "
            "with 503, or before TLS by closing.",
            ge=1,
        ),
    ] = 10_000
    connections_per_address_max: Annotated[
        int,
        Meta(
            description="As connections_max, of one client address (IPv6: of one /64) that is no "
            "trusted proxy's; 0: as many as there may be.",
            ge=0,
        ),
    ] = 2000
    bodies_bytes_max: Annotated[
        int,
        Meta(
            description="Bytes of larger request bodies (over 64 KiB) that requests hold at once, "
            "until they are answered; more are refused with 503.",
            ge=1 << 20,
        ),
    ] = 256 << 20
    proxy_protocol: Annotated[
        bool,
        Meta(
            description="Whether connections begin with a PROXY header (version 1 or 2) that tells "
            "the client's address. Who is none of trusted_proxies is refused then."
        ),
    ] = False
    trusted_proxies: Annotated[
        list[str],
        Meta(
            description="Addresses and ranges of proxies in front, such as 10.0.0.0/24; `unix` for "
            "whoever may open a unix socket. They alone tell a client's address: in PROXY headers, "
            "`X-Forwarded-For` or `Forwarded`, and its scheme and host in their relatives."
        ),
    ] = []


class Server(ConnectionLimits, frozen=True, forbid_unknown_fields=True):
    """Where Linarite listens unless `[listeners.NAME]` says more, and how it is reached."""

    host: Annotated[
        str,
        Meta(
            description="Address to listen on. Anything but loopback needs server.tls_certificate "
            "or server.tls."
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(description="TCP port; 0 picks a free one.", ge=0, le=65535)] = 8080
    https: Annotated[
        bool,
        Meta(
            description="Where server.port is plain http on loopback, serve https beside it, with "
            "certificates of the local authority."
        ),
    ] = True
    https_port: Annotated[
        int,
        Meta(
            description="TCP port of that; 0 takes 8443 beside 8080, and a free one beside another "
            "or where 8443 is taken.",
            ge=0,
            le=65535,
        ),
    ] = 0
    tls: Annotated[
        bool,
        Meta(
            description="Serve https on server.port though there is no server.tls_certificate: "
            "with certificates of the local authority."
        ),
    ] = False
    tls_certificate: Annotated[
        str,
        Meta(
            description="PEM file with the certificate chain. Read anew when it changes, as "
            "server.tls_key is."
        ),
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the certificate's private key.")] = ""
    tls_ca_file: Annotated[
        str,
        Meta(
            description="PEM file with the authority that clients must trust, if it is no public "
            "one: told in the serving file. Empty: what is self-signed in server.tls_certificate."
        ),
    ] = ""
    local_names: Annotated[
        list[str],
        Meta(
            description="Host names and addresses by which clients reach this machine, beside "
            "localhost, its own name, private addresses and server.domain: the local authority "
            "certifies them."
        ),
    ] = []
    domain: Annotated[
        str,
        Meta(
            description="What the host names of accounts end in: NAME.openai.DOMAIN, "
            "NAME.cognitiveservices.DOMAIN and NAME.services.ai.DOMAIN.",
            pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$",
        ),
    ] = "linarite.internal"
    hosts: Annotated[
        list[str],
        Meta(
            description="Further names by which clients may call this server; `*.example.com` "
            "stands for all below it, `*` for every name, which lets web pages reach it by names "
            "of their own. Always known: addresses, localhost, names without a dot and under "
            "`internal`, server.domain and what is below it, the machine's name, names of the "
            "served certificates."
        ),
    ] = []
    account_endpoints: Annotated[
        Literal["path", "host"],
        Meta(
            description="How the control plane shows accounts' endpoints: path is "
            "ADDRESS/NAME/, which needs no DNS; host is NAME.openai.DOMAIN and its like."
        ),
    ] = "path"
    plaintext_beyond_loopback: Annotated[
        bool,
        Meta(
            description="Serve plain HTTP on an address other machines reach. "
            "Only behind something that ends TLS, or in a container published on loopback."
        ),
    ] = False
    drain_s: Annotated[
        float, Meta(description="Seconds running requests get when the server stops.", ge=0, le=600)
    ] = 10.0
    open_pages: Annotated[
        Literal["auto", "always", "never"],
        Meta(
            description="Whether /readyz and /metrics answer without a key: "
            "auto means only on loopback. /healthz always does."
        ),
    ] = "auto"

    @property
    def has_tls(self) -> bool:
        """Whether server.port itself speaks TLS."""
        return self.tls or bool(self.tls_certificate)


class ClientTrust(msgspec.Struct, frozen=True):
    """Whose certificates clients may show, and whether they must."""

    mode: Literal["none", "optional", "required"] = "none"
    ca_files: tuple[str, ...] = ()
    crl_files: tuple[str, ...] = ()


class ListenerSettings(ConnectionLimits, frozen=True, forbid_unknown_fields=True):
    """A listener. One `[listeners.NAME]` table each; the one of `[server]` is there beside them."""

    address: Annotated[
        str,
        Meta(
            description="IPv4 or IPv6 address of this machine, `0.0.0.0` or `::` for all, or "
            "`unix:/path` for a socket in a folder that is there."
        ),
    ]
    port: Annotated[int, Meta(description="TCP port; 0 picks a free one.", ge=0, le=65535)] = 8443
    planes: Annotated[
        list[Plane],
        Meta(description="What is answered here: data, control, sign-in, operations. Empty: all."),
    ] = []
    tls: Annotated[
        bool, Meta(description="Serve https, with the certificate that fits the name asked for.")
    ] = True
    plaintext_beyond_loopback: Annotated[
        bool,
        Meta(
            description="With tls = false: serve plain HTTP though other machines reach the "
            "address. Only behind something that ends TLS."
        ),
    ] = False
    socket_mode: Annotated[
        str,
        Meta(description="Who may open the unix socket, as chmod has it.", pattern="^0?[0-7]{3}$"),
    ] = "0660"
    client_certificates: Annotated[
        Literal["none", "optional", "required"],
        Meta(description="Whether clients may or must show a certificate in the TLS handshake."),
    ] = "none"
    client_ca_files: Annotated[
        list[str],
        Meta(
            description="PEM files with the authorities of clients' certificates. Empty: the local "
            "authority."
        ),
    ] = []
    client_crl_files: Annotated[
        list[str],
        Meta(
            description="PEM files with revocation lists; then each authority of a client's "
            "certificate must have one. Read anew when they change."
        ),
    ] = []

    @property
    def client_trust(self) -> ClientTrust:
        """Whom a handshake is to trust."""
        return ClientTrust(
            self.client_certificates, tuple(self.client_ca_files), tuple(self.client_crl_files)
        )


def listener_of(server: Server) -> ListenerSettings:
    """The listener that `[server]` declares."""
    limits = {name: getattr(server, name) for name in ConnectionLimits.__struct_fields__}
    return ListenerSettings(
        address=server.host,
        port=server.port,
        tls=server.has_tls,
        plaintext_beyond_loopback=server.plaintext_beyond_loopback,
        **limits,
    )


class CertificateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate to serve with, for the names in it. One `[certificates.NAME]` table each.

    Where no certificate has the name that a client asks for, the local authority's has, if it is
    one of this machine or under server.domain; else the client sees server.tls_certificate, or
    the first of these.
    """

    certificate: Annotated[
        str, Meta(description="PEM file with the chain; read anew when it changes, as the key is.")
    ]
    key: Annotated[str, Meta(description="PEM file with its private key, without a password.")]


class ClientCertificateSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a client is by its certificate. One `[client_certificates.NAME]` table each.

    A call with such a certificate, and with neither key nor token, is this principal's. What is
    said of the certificate must all fit.
    """

    principal: Annotated[
        str,
        Meta(
            description="Object id of a user or service principal of this server's directory: "
            "its roles decide, as for a token."
        ),
    ]
    thumbprint: Annotated[
        str,
        Meta(
            description="SHA-256 of the certificate in hexadecimal, with or without colons.",
            pattern="^$|^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31}$",
        ),
    ] = ""
    subject: Annotated[
        str, Meta(description="Its whole subject as in RFC 4514: CN=robot,O=Contoso.")
    ] = ""
    name: Annotated[
        str,
        Meta(
            description="One of its subject alternative names, with its kind: DNS:, URI:, "
            "email: or IP:, such as DNS:robot.contoso.com."
        ),
    ] = ""
    issuer: Annotated[
        str,
        Meta(
            description="An authority above it: its whole subject as in RFC 4514, if it is one of "
            "the listener's client_ca_files (CN=Clients,O=Contoso), or the SHA-256 of its public "
            "key (DER) in hexadecimal."
        ),
    ] = ""
    listeners: Annotated[
        list[str],
        Meta(
            description="The listeners by whose authorities it must have been checked. Empty: "
            "all; then a rule by subject or name must say the issuer."
        ),
    ] = []
