"""Which hosts and addresses may be connected to, for which purpose."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address  # noqa: TC003 - for readers of the signature

import msgspec

from linarite.controls.egress.addresses import Reach, reach_of
from linarite.controls.egress.proxy import HttpProxy
from linarite.domain.dial import Purpose
from linarite.domain.errors import EgressRefused
from linarite.domain.host_patterns import HostPatterns
from linarite.domain.target import host_of

_NAMED_BY: dict[Purpose, str] = {  # no host is named for action groups, which callers write
    "upstream": "an upstream (instances.NAME.options.base_url)",
    "issuer": "an issuer (issuers.NAME)",
    "models": "a source of models (models.private_hosts)",
    "telemetry": "a collector (otlp.endpoint)",
    "ledger": "the ledger of limits (quota.ledger)",
    "webhook": "a webhook (webhooks.NAME.url)",
    "webhook_endpoint": "a receiver of applications' webhooks (webhook_endpoints.private_hosts)",
    "diagnostics": "a syslog server (diagnostic_sinks.NAME.address)",
    "file_import": "a source of files (files.import_private_hosts)",
    "mcp": "an MCP server (mcp.private_hosts)",
    "data_source": "a search service (search_services.NAME.endpoint)",
    "server": "the endpoint that a command was told",
}


class PurposeHosts(msgspec.Struct, frozen=True):
    """What is allowed for one purpose, beside what is allowed for all."""

    allowed_hosts: tuple[str, ...] = ()
    """as `EgressPolicy.allowed_hosts`"""
    named_hosts: frozenset[str] = frozenset()
    """as `EgressPolicy.named_hosts`"""


class EgressPolicy(msgspec.Struct, frozen=True):
    """What the operator allows. The default allows nothing."""

    allowed_hosts: tuple[str, ...] = ()
    """hosts, exact or `*.suffix`, maybe with a port; they must have public addresses only"""
    named_hosts: frozenset[str] = frozenset()
    """hosts that somebody has named for this very connection; their addresses may be private"""
    purposes: Mapping[Purpose, PurposeHosts] = {}
    """what one purpose may have beyond that"""
    proxy: HttpProxy | None = None
    """where connections to other machines go through"""
    connect_s: float = 10.0
    """seconds for name resolution, connection and TLS handshake together"""


class EgressRules:
    """The policy for one purpose, prepared for asking. Raises SetupError for a bad pattern."""

    def __init__(self, policy: EgressPolicy, purpose: Purpose) -> None:
        own = policy.purposes.get(purpose, PurposeHosts())
        self._purpose: Purpose = purpose
        self._named = frozenset(host_of(host) for host in policy.named_hosts | own.named_hosts)
        self._allowed = HostPatterns(policy.allowed_hosts, "egress.allowed_hosts")
        self._own = HostPatterns(own.allowed_hosts, f"egress.{purpose}.allowed_hosts")

    def require_host(self, host: str, port: int) -> None:
        """Raise EgressRefused unless the (normal) host is listed."""
        if host in self._named or self._allowed.match(host, port) or self._own.match(host, port):
            return
        raise EgressRefused(
            f"Connections to '{host}' (port {port}) are not allowed. If they shall be, add it to "
            f"egress.{self._purpose}.allowed_hosts, or to egress.allowed_hosts for every purpose.",
            rule="allowed_hosts",
        )

    def require_address(self, host: str, address: IPv4Address | IPv6Address) -> None:
        """Raise EgressRefused if this address of the host must not be connected to."""
        reach, what = reach_of(address)
        if reach is Reach.PUBLIC or (reach is Reach.PRIVATE and host in self._named):
            return
        advice = (
            f"Only a host that settings name as {_NAMED_BY.get(self._purpose)} may have such an "
            "address; egress.allowed_hosts is not enough."
            if reach is Reach.PRIVATE and self._purpose in _NAMED_BY
            else "No setting allows that."
        )
        raise EgressRefused(f"'{host}' has the address {address}, {what}. {advice}", rule="address")
