"""All certificates that a server can show, and which one fits a client."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import structlog
from cryptography import x509

from linarite.domain.errors import SetupError
from linarite.web.certificates.material import Material
from linarite.web.certificates.served import names_of
from linarite.web.certificates.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.web.certificates.local_leaves import LocalLeaves

log = structlog.get_logger("linarite.web")

SOON_S = 14 * 86_400.0


def read_pair(contents: list[bytes]) -> Material:
    """A chain and its key, which belong together. Raises ValueError or OSError."""
    chain, key = contents
    first = x509.load_pem_x509_certificates(chain)[0]
    material = Material(chain, key, frozenset(name.lower() for name in names_of(first)))
    material.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    until = first.not_valid_after_utc
    if until.timestamp() - time.time() < SOON_S:
        log.warning(
            "certificate ends soon or has ended",
            subject=first.subject.rfc4514_string(),
            until=until.isoformat(),
        )
    return material


class FilePair:
    """A certificate in files, read anew when they change, both of them together."""

    def __init__(self, certificate: str, key: str, settings: tuple[str, str]) -> None:
        """Raises SetupError, which names the settings."""
        try:
            self._watched = Watched((certificate, key), read_pair)
        except (OSError, ValueError) as problem:
            raise SetupError(
                f"{settings[0]} or {settings[1]} can't be used: {problem}. Both must be PEM files, "
                "and the key must belong to the certificate and have no password."
            ) from None

    @property
    def now(self) -> Material:
        """As it was last good."""
        return self._watched.now

    def look(self) -> bool:
        """Whether it is another one now."""
        return self._watched.look()


class CertificateBook:
    """Certificates from files, first those of `server.tls_certificate`, then the local ones."""

    def __init__(self, files: list[FilePair], local: LocalLeaves | None) -> None:
        """At least one of both must be there."""
        self._files = files
        self._local = local
        self.renamed: Callable[[frozenset[str]], None] | None = None
        """told the names of all files when one of them has changed"""

    def look(self) -> bool:
        """Notice what has changed; whether anything has."""
        changed = [pair.look() for pair in self._files]
        if any(changed) and self.renamed is not None:
            self.renamed(frozenset[str]().union(*(pair.now.names for pair in self._files)))
        if self._local is not None:
            changed.append(self._local.look())
        return any(changed)

    def default(self, address: str) -> Material:
        """For who names no host, or one that nothing fits: by the address connected to."""
        for pair in self._files:
            if address in pair.now.names:
                return pair.now
        if self._files:
            return self._files[0].now
        assert self._local is not None  # noqa: S101 - one of both is there
        return self._local.at(address)

    def find(self, name: str) -> Material | None:
        """For who names a host in lower case: exact, by wildcard, or the local authority's."""
        for wanted in (name, "*." + name.partition(".")[2]):
            for pair in self._files:
                if wanted in pair.now.names:
                    return pair.now
        if self._local is not None and self._local.has(name):
            return self._local.at()
        return None
