"""What settings say about listening."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite listens."""

    host: Annotated[
        str,
        Meta(
            description="Address to listen on. Anything but loopback needs server.tls_certificate."
        ),
    ] = "127.0.0.1"
    port: Annotated[int, Meta(description="TCP port; 0 picks a free one.", ge=0, le=65535)] = 8080
    tls_certificate: Annotated[str, Meta(description="PEM file with the certificate chain.")] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the certificate's private key.")] = ""
    tls_ca_file: Annotated[
        str,
        Meta(
            description="PEM file with the authority that clients must trust, if it is no public "
            "one: told in the serving file. Empty: what is self-signed in server.tls_certificate."
        ),
    ] = ""
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
    keep_alive_s: Annotated[
        float, Meta(description="Seconds an idle connection is kept open.", gt=0, le=3600)
    ] = 65.0
    connections_max: Annotated[
        int, Meta(description="Open connections at once; more are refused with 503.", ge=1)
    ] = 10_000
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
