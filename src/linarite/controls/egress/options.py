"""What settings say about outgoing connections."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class PurposeEgress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite may connect to for one purpose."""

    allowed_hosts: Annotated[
        list[str],
        Meta(description="Hosts for this purpose alone, as in `egress.allowed_hosts`."),
    ] = []


class Egress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where Linarite may connect to, beyond the hosts that other settings name."""

    allowed_hosts: Annotated[
        list[str],
        Meta(
            description="Host names, exact or `*.suffix`, maybe with a port (`hub.example:443`), "
            "for every purpose; empty means none."
        ),
    ] = []
    upstream: PurposeEgress = PurposeEgress()
    issuer: PurposeEgress = PurposeEgress()
    models: PurposeEgress = PurposeEgress()
    ledger: PurposeEgress = PurposeEgress()
    telemetry: PurposeEgress = PurposeEgress()
    webhook: PurposeEgress = PurposeEgress()
    webhook_endpoint: PurposeEgress = PurposeEgress()
    action_group: PurposeEgress = PurposeEgress()
    diagnostics: PurposeEgress = PurposeEgress()
    file_import: PurposeEgress = PurposeEgress()
    mcp: PurposeEgress = PurposeEgress()
    data_source: PurposeEgress = PurposeEgress()
    proxy: Annotated[
        str,
        Meta(
            description="HTTP proxy that all connections to other machines go through, such as "
            "http://proxy.example.com:3128; a name and a password go into proxy_credentials. "
            "Empty: none; a server reads no variable such as HTTPS_PROXY.",
            pattern=r"^[^@]*$",  # refused where it is read: a password is shown by no message
        ),
    ] = ""
    proxy_credentials: Annotated[
        str, Meta(description="NAME:PASSWORD for the proxy, best as `env:NAME`.")
    ] = ""
    proxy_credentials_file: Annotated[
        str, Meta(description="File with NAME:PASSWORD for the proxy, read at each connection.")
    ] = ""
    no_proxy: Annotated[
        list[str],
        Meta(
            description="Hosts reached without the proxy, exact or `*.suffix`; this machine always "
            "is."
        ),
    ] = []

    def __repr__(self) -> str:
        """Hide the credentials."""
        return f"Egress(allowed_hosts={self.allowed_hosts}, proxy={self.proxy!r})"
