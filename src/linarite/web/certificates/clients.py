"""Whose certificates clients may show: the authorities that are trusted, and what is revoked."""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from typing import TYPE_CHECKING

import structlog
from cryptography import x509

from linarite.web.certificates.client_chain import (
    chain_of,
    key_print,
    read,
    told_by_subject,
    verified_chain,
)
from linarite.web.certificates.material import private_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.web.client_certificates import ClientChain

log = structlog.get_logger("linarite.web")

REMEMBERED_MAX = 10_000
CERTIFICATE, REVOCATIONS = b"CERTIFICATE", b"X509 CRL"


class ClientAuthorities:
    """`client_ca_files` and `client_crl_files` of a listener, as they were last read.

    OpenSSL judges a handshake by them. This tells from which authority a certificate was, and
    when a connection that has begun has to end.
    """

    def __init__(self, contents: list[bytes], mode: ssl.VerifyMode, *, has_lists: bool) -> None:
        """Raises ValueError and OSError, of which ssl.SSLError is one, for what can't be used."""
        self._contents = contents
        self._mode = mode
        self._has_lists = has_lists
        self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))  # tells what can't be used
        self._trusted = frozenset(_pieces(contents, CERTIFICATE))
        self._subjects = told_by_subject(self._trusted)
        if "" in self._subjects.values():
            log.warning(
                "several authorities of clients have one subject: issuer must name their keys",
                keys=[key_print(each) for each in map(read, self._trusted) if each is not None],
            )
        self._revoked = frozenset(_revoked(contents))
        self._verified: dict[str, tuple[bytes, ...]] = {}

    def load_into(self, context: ssl.SSLContext) -> None:
        """Make a context verify clients by them.

        A session that is taken up again would not be verified again, so no tickets are given.
        """
        context.verify_mode = self._mode
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        if self._has_lists:
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_CHAIN
        for content in self._contents:
            with private_file(content) as file:
                context.load_verify_locations(cafile=file)

    def chain(self, connection: ssl.SSLObject) -> ClientChain | None:
        """What the handshake has verified; None where the client has shown no certificate."""
        own = connection.getpeercert(binary_form=True)
        if own is None:
            return None
        thumbprint = hashlib.sha256(own).hexdigest()
        verified = verified_chain(connection)
        if verified:
            if len(self._verified) >= REMEMBERED_MAX:
                self._verified.clear()
            self._verified[thumbprint] = verified
        else:  # TLS 1.2 takes sessions up again by their numbers, without tickets
            verified = self._verified.get(thumbprint, ())
        return chain_of(own, verified, frozenset(self._issuers(verified[1:])), self)

    def ended(self, chain: ClientChain) -> str:
        """Why a connection may not go on that has begun with a chain; "" where it may."""
        if chain.until < time.time():
            return "it has ended"
        if any(link in self._revoked for link in chain.links):
            return "it is revoked"
        if chain.anchor and chain.anchor not in self._trusted:
            return "its authority is no longer trusted"
        if chain.judged_by is not None and chain.judged_by is not self:
            return "the files it was judged by have changed, and it can't be read to judge it anew"
        return ""

    def _issuers(self, above: Iterable[bytes]) -> list[str]:
        """Each authority by its key; one of the files by its subject too.

        Whoever is trusted can certify another authority of any name, and may do so; but whose key
        it does not have, by that nothing of its own is signed.
        """
        found: list[str] = []
        for der in above:
            authority = read(der)
            if authority is not None:
                found += [key_print(authority), self._subjects.get(der, "")]
        return [each for each in found if each]


def _revoked(contents: Iterable[bytes]) -> list[tuple[bytes, int]]:
    """Issuer and serial number of all that files say is revoked. Raises ValueError.

    Of several lists of the same kind the newest counts, as for OpenSSL.
    """
    newest: dict[tuple[bytes, ...], x509.CertificateRevocationList] = {}
    for each in map(x509.load_der_x509_crl, _pieces(contents, REVOCATIONS)):
        kind = (each.issuer.public_bytes(), *_kind(each))
        if kind not in newest or newest[kind].last_update_utc < each.last_update_utc:
            newest[kind] = each
    return [(kind[0], entry.serial_number) for kind, each in newest.items() for entry in each]


def _pieces(contents: Iterable[bytes], kind: bytes) -> list[bytes]:
    """What PEM files hold of a kind, as DER. Raises ValueError."""
    begin = b"-----BEGIN %b-----" % kind
    pieces = (piece for content in contents for piece in content.split(begin)[1:])
    return [base64.b64decode(piece.partition(b"-----")[0]) for piece in pieces]


def _kind(revocations: x509.CertificateRevocationList) -> list[bytes]:
    """What tells one list of an authority from another: by which key it is, and about what.

    Raises ValueError where that can't be read.
    """
    found: list[bytes] = []
    for extension in (x509.AuthorityKeyIdentifier, x509.IssuingDistributionPoint):
        try:
            value = revocations.extensions.get_extension_for_class(extension).value
        except x509.ExtensionNotFound:
            found.append(b"")
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as problem:
            raise ValueError(f"a revocation list's extensions: {problem}") from None
        else:
            found.append(value.public_bytes())
    return found
