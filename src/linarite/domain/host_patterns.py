"""Lists of hosts, as settings and accounts write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from linarite.domain.errors import EgressRefused, SetupError
from linarite.domain.target import host_of, literal_address

if TYPE_CHECKING:
    from collections.abc import Iterable

_WITH_PORT = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]+\]):(?P<port>[0-9]{1,5})")
_PORT_MAX = 65535
_ANY = 0


class HostPatterns:
    """Hosts, exact or `*.suffix`, each with a port or for every port.

    A suffix means names below it, never itself, never an address.
    """

    def __init__(self, patterns: Iterable[str], setting: str) -> None:
        """Raises SetupError, naming the setting, for a pattern that can't work."""
        self._exact: set[tuple[str, int]] = set()
        self._suffixes: list[tuple[str, int]] = []
        for pattern in patterns:
            try:
                host, port = _parts(pattern)
            except EgressRefused as refused:
                raise SetupError(
                    f"{setting}: '{pattern}' is neither a host name nor `*.` and the end of one, "
                    f"optionally with `:` and a port. {refused.message}"
                ) from None
            if pattern.startswith("*."):
                self._suffixes.append((f".{host}", port))
            else:
                self._exact.add((host, port))

    def match(self, host: str, port: int) -> bool:
        """Whether a port of the (normal) host is among them."""
        if (host, _ANY) in self._exact or (host, port) in self._exact:
            return True
        if not self._suffixes or literal_address(host) is not None:
            return False
        return any(
            host.endswith(suffix) and wanted in (_ANY, port) for suffix, wanted in self._suffixes
        )


def _parts(pattern: str) -> tuple[str, int]:
    """The normal host, without `*.`, and the port, 0 for any. Raises EgressRefused."""
    found = _WITH_PORT.fullmatch(pattern)
    host, port = (found["host"], int(found["port"])) if found else (pattern, _ANY)
    if found and not 0 < port <= _PORT_MAX:
        raise EgressRefused(f"A port is between 1 and {_PORT_MAX}.")
    return host_of(host.removeprefix("*.").strip("[]") if found else host.removeprefix("*.")), port
