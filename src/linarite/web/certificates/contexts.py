"""TLS as listeners speak it: a context for each certificate, chosen by the name asked for."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from linarite.domain.errors import SetupError
from linarite.web.certificates.material import private_file
from linarite.web.certificates.watched import Watched
from linarite.web.handshake import remember_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.web.certificates.book import CertificateBook
    from linarite.web.certificates.material import Material
    from linarite.web.options import ClientTrust

LOOK_S = 1.0
"""files are looked at no more often"""
CONTEXTS_MAX = 200
MODES = {"none": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}


class Contexts:
    """The contexts of listeners that trust the same clients.

    The choice by name is made in the handshake, by exchanging the context: the verification of the
    client is the same in all of them.
    """

    def __init__(self, book: CertificateBook, trust: ClientTrust, section: str) -> None:
        """Raises SetupError, which names the settings of `section`."""
        self._book = book
        self._mode = MODES[trust.mode]
        self._by_number: dict[int, ssl.SSLContext] = {}
        self._look_at = 0.0
        self._authorities: Watched[list[bytes]] | None = None
        self._has_lists = bool(trust.crl_files)
        if self._mode is not ssl.CERT_NONE:
            files = (*trust.ca_files, *trust.crl_files)
            try:
                self._authorities = Watched(files, self._checked)
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
            if self._authorities is not None and self._authorities.look():
                self._by_number.clear()
            self._book.look()
        return self._context(self._book.default(address))

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
        if self._authorities is not None:
            self._trust_clients(context, self._authorities.now)
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

    def _trust_clients(self, context: ssl.SSLContext, contents: list[bytes]) -> None:
        context.verify_mode = self._mode
        if self._has_lists:
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
        for content in contents:
            with private_file(content) as file:
                context.load_verify_locations(cafile=file)

    def _checked(self, contents: list[bytes]) -> list[bytes]:
        self._trust_clients(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), contents)
        return contents
