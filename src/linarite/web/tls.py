"""The TLS of a server: its certificates, and what each listener makes of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import msgspec

from linarite.domain.errors import SetupError
from linarite.web.certificates.places import CA_FILE, FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from linarite.web.certificates.book import CertificateBook
    from linarite.web.certificates.contexts import Contexts
    from linarite.web.certificates.local_leaves import LocalLeaves
    from linarite.web.options import CertificateSettings, ClientTrust, Server


class ServerTls:
    """One for all listeners of a server. The libraries it takes are loaded when it is used."""

    def __init__(
        self,
        server: Server,
        certificates: Mapping[str, CertificateSettings] | None = None,
        home: Path | None = None,
        authority_secret: bytes = b"",
    ) -> None:
        """`home` None: there is no local authority. `authority_secret` opens that one's key."""
        self._authority_secret = authority_secret
        self._server = server
        self._certificates = certificates or {}
        self._home = home
        self._book: CertificateBook | None = None
        self._local: LocalLeaves | None = None
        self._contexts: dict[ClientTrust, Contexts] = {}
        self.renamed: Callable[[frozenset[str]], None] | None = None
        """told the names of `tls_certificate` and `[certificates]` when a file has changed"""
        self._lock = threading.Lock()
        """a thread may warm up while a first client shakes hands"""

    @property
    def authority_file(self) -> Path | None:
        """The local authority's certificate, to be handed out; it may not have been made yet."""
        return self._home / FOLDER / CA_FILE if self._home is not None else None

    @property
    def may_wait(self) -> bool:
        """Whether nothing is to be read or made before the first handshake."""
        file = self.authority_file
        files = self._server.tls_certificate or self._certificates
        return not files and file is not None and file.exists()

    def contexts(self, trust: ClientTrust, section: str) -> Contexts:
        """The contexts for listeners that trust those clients.

        Raises SetupError for files that can't be used; `section` has the settings.
        """
        from linarite.web.certificates.contexts import Contexts  # noqa: PLC0415 - slow, and only for TLS

        if trust.mode != "none" and not trust.ca_files:
            trust = msgspec.structs.replace(trust, ca_files=(self._local_authority(),))
        found = self._contexts.get(trust)
        if found is None:
            found = self._contexts[trust] = Contexts(self._opened(), trust, section)
        return found

    def warm(self) -> None:
        """Have the local authority and a first certificate made, which takes a moment."""
        self._opened()
        if self._local is not None:
            self._local.at("127.0.0.1")

    def _opened(self) -> CertificateBook:
        with self._lock:
            return self._book or self._open()

    def _open(self) -> CertificateBook:
        from linarite.web.certificates.book import CertificateBook, FilePair  # noqa: PLC0415 - slow, and only for TLS
        from linarite.web.certificates.local_leaves import LocalLeaves  # noqa: PLC0415 - as above

        server = self._server
        files: list[FilePair] = []
        if server.tls_certificate:
            named = ("server.tls_certificate", "server.tls_key")
            files.append(FilePair(server.tls_certificate, server.tls_key, named))
        for name, pair in self._certificates.items():
            named = (f"certificates.{name}.certificate", f"certificates.{name}.key")
            files.append(FilePair(pair.certificate, pair.key, named))
        if self._home is not None:
            self._local = LocalLeaves(
                self._home / FOLDER,
                server.domain,
                tuple(server.local_names),
                self._authority_secret,
            )
        self._book = CertificateBook(files, self._local)
        self._book.renamed = self.renamed
        return self._book

    def _local_authority(self) -> str:
        file = self.authority_file
        if file is None:
            raise SetupError("client_ca_files is empty, and there is no local authority here.")
        self.warm()
        return str(file)
