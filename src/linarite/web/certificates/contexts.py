"""TLS as listeners speak it: a context for each certificate, chosen by the name asked for."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.web.certificates.watched import Watched
from linarite.web.handshake import remember_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.web.certificates.book import CertificateBook
    from linarite.web.certificates.clients import ClientAuthorities
    from linarite.web.certificates.material import Material
    from linarite.web.client_certificates import ClientChain
    from linarite.web.options import ClientTrust

LOOK_S = 1.0
"""files are looked at no more often"""
CONTEXTS_MAX = 200
MODES = {"optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class Contexts:
    """The contexts of listeners that trust the same clients.

    The choice by name is made in the handshake, by exchanging the context: the verification of the
    client is the same in all of them.
    """

    def __init__(self, book: CertificateBook, trust: ClientTrust, section: str) -> None:
        """Raises SetupError, which names the settings of `section`."""
        self._book = book
        self._by_number: dict[int, ssl.SSLContext] = {}
        self._look_at = 0.0
        self._clients: Watched[ClientAuthorities] | None = None
        if trust.mode != "none":
            from linarite.web.certificates.clients import ClientAuthorities  # noqa: PLC0415 - few listeners ask

            files, has_lists = (*trust.ca_files, *trust.crl_files), bool(trust.crl_files)
            try:
                self._clients = Watched(
                    files,
                    lambda contents: ClientAuthorities(
                        contents, MODES[trust.mode], has_lists=has_lists
                    ),
                )
            except (OSError, ValueError) as problem:
                raise SetupError(
                    f"{section}.client_ca_files or {section}.client_crl_files can't be used: "
                    f"{problem}. They must be PEM files with certificates or revocation lists."
                ) from None

    def at(self, address: str) -> ssl.SSLContext:
        """What a connection to an address of this machine begins with."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self.look()
            self._book.look()
        return self._context(self._book.default(address))

    def look(self) -> None:
        """Read the clients' authorities and lists, if they have changed."""
        if self._clients is not None and self._clients.look():
            self._by_number.clear()

    def chain(self, connection: ssl.SSLObject) -> ClientChain | None:
        """What a handshake has verified of its client; None where that has shown nothing."""
        return self._clients.now.chain(connection) if self._clients is not None else None

    def ended(self, chain: ClientChain) -> str:
        """Why a connection may not go on that has begun with a chain; "" where it may."""
        return self._clients.now.ended(chain) if self._clients is not None else ""

    def _context(self, material: Material) -> ssl.SSLContext:
        context = self._by_number.get(material.number)
        if context is None:
            if len(self._by_number) >= CONTEXTS_MAX:
                self._by_number.clear()
            context = self._by_number[material.number] = self._made(material)
        return context

    def _made(self, material: Material) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        material.load_into(context)
        if self._clients is not None:
            self._clients.now.load_into(context)
        context.sni_callback = self._chooser(material)
        return context

    def _chooser(
        self, begun_with: Material
    ) -> Callable[[ssl.SSLObject | ssl.SSLSocket, str | None, ssl.SSLContext], None]:
        def choose(
            connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
        ) -> None:
            if not name:
                return
            asked = name.lower().rstrip(".")
            remember_name(connection, asked)
            if asked in begun_with.names:
                return
            found = self._book.find(asked)
            if found is not None and found is not begun_with:
                connection.context = self._context(found)

        return choose
