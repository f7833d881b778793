"""Which hosts and addresses may be connected to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address  # noqa: TC003 - for readers of the signature

import msgspec

from linarite.controls.egress.addresses import Reach, reach_of
from linarite.controls.egress.patterns import HostPatterns
from linarite.controls.egress.proxy import HttpProxy
from linarite.domain.errors import EgressRefused
from linarite.domain.target import host_of


class EgressPolicy(msgspec.Struct, frozen=True):
    """What the operator allows. The default allows nothing."""

    allowed_hosts: tuple[str, ...] = ()
    """host names, exact or `*.suffix`; they must have public addresses only"""
    named_hosts: frozenset[str] = frozenset()
    """hosts that settings name as upstreams and issuers; their addresses may be private"""
    proxy: HttpProxy | None = None
    """where connections to other machines go through"""
    connect_s: float = 10.0
    """seconds for name resolution, connection and TLS handshake together"""


class EgressRules:
    """The policy, prepared for asking. Raises SetupError for a pattern that cannot work."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._named = frozenset(host_of(host) for host in policy.named_hosts)
        self._allowed = HostPatterns(policy.allowed_hosts, "egress.allowed_hosts")

    def require_host(self, host: str) -> None:
        """Raise EgressRefused unless the (normal) host is listed."""
        if host in self._named or self._allowed.match(host):
            return
        raise EgressRefused(
            f"Connections to '{host}' are not allowed. If they shall be, add it to "
            "egress.allowed_hosts."
        )

    def require_address(self, host: str, address: IPv4Address | IPv6Address) -> None:
        """Raise EgressRefused if this address of the host must not be connected to."""
        reach, what = reach_of(address)
        if reach is Reach.PUBLIC or (reach is Reach.PRIVATE and host in self._named):
            return
        advice = (
            "Only hosts that settings name as an upstream (instances.NAME.options.base_url) or "
            "issuer (issuers.NAME) may have such an address; egress.allowed_hosts is not enough."
            if reach is Reach.PRIVATE
            else "No setting allows that."
        )
        raise EgressRefused(f"'{host}' has the address {address}, {what}. {advice}")
