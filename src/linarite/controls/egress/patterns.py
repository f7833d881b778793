"""Lists of hosts, as settings write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import host_of, literal_address

if TYPE_CHECKING:
    from collections.abc import Iterable


class HostPatterns:
    """Hosts, exact or `*.suffix`. A suffix means names below it, never itself, never an address."""

    def __init__(self, patterns: Iterable[str], setting: str) -> None:
        """Raises SetupError, naming the setting, for a pattern that can't work."""
        self._exact: set[str] = set()
        self._suffixes: list[str] = []
        for pattern in patterns:
            try:
                host = host_of(pattern.removeprefix("*."))
            except EgressRefused as refused:
                raise SetupError(
                    f"{setting}: '{pattern}' is neither a host name nor `*.` and the end of one. "
                    f"{refused.message}"
                ) from None
            if pattern.startswith("*."):
                self._suffixes.append(f".{host}")
            else:
                self._exact.add(host)

    def match(self, host: str) -> bool:
        """Whether the (normal) host is among them."""
        if host in self._exact:
            return True
        is_name = literal_address(host) is None
        return is_name and any(host.endswith(suffix) for suffix in self._suffixes)
