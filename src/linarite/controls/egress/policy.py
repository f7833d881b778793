"""Which hosts and addresses may be connected to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address  # noqa: TC003 - for readers of the signature

import msgspec

from linarite.controls.egress.addresses import Reach, reach_of
from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import host_of, literal_address


class EgressPolicy(msgspec.Struct, frozen=True):
    """What the operator allows. The default allows nothing."""

    allowed_hosts: tuple[str, ...] = ()
    """host names, exact or `*.suffix`; they must have public addresses only"""
    named_hosts: frozenset[str] = frozenset()
    """hosts that settings name as upstreams; their addresses may be private"""
    connect_s: float = 10.0
    """seconds for name resolution, connection and TLS handshake together"""


class EgressRules:
    """The policy, prepared for asking. Raises SetupError for a pattern that cannot work."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._named = frozenset(host_of(host) for host in policy.named_hosts)
        self._exact: set[str] = set()
        self._suffixes: list[str] = []
        for pattern in policy.allowed_hosts:
            self._add(pattern)

    def require_host(self, host: str) -> None:
        """Raise EgressRefused unless the (normal) host is listed."""
        if host in self._named or host in self._exact:
            return
        is_name = literal_address(host) is None
        if is_name and any(host.endswith(suffix) for suffix in self._suffixes):
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
            "Only hosts that settings name as an upstream (instances.NAME.options.base_url) may "
            "have such an address; egress.allowed_hosts is not enough."
            if reach is Reach.PRIVATE
            else "No setting allows that."
        )
        raise EgressRefused(f"'{host}' has the address {address}, {what}. {advice}")

    def _add(self, pattern: str) -> None:
        wildcard = pattern.startswith("*.")
        try:
            host = host_of(pattern.removeprefix("*."))
        except EgressRefused as refused:
            raise SetupError(
                f"egress.allowed_hosts: '{pattern}' is neither a host name nor `*.` and the end of "
                f"one. {refused.message}"
            ) from None
        if wildcard:
            self._suffixes.append(f".{host}")
        else:
            self._exact.add(host)
