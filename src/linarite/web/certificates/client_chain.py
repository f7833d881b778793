"""What a handshake has verified of a client: its certificate, and the authorities above it."""

from __future__ import annotations

import hashlib
import math
import ssl
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from linarite.domain.client_certificate import ShownCertificate
from linarite.web.client_certificates import ClientChain

if TYPE_CHECKING:
    from collections.abc import Iterable


def verified_chain(connection: ssl.SSLObject) -> tuple[bytes, ...]:
    """The chain that OpenSSL has verified, the client's own certificate first, as DER.

    Empty where no certificate was shown, and where a session was taken up again.
    """
    ours = cast("Any", connection)
    if hasattr(ours, "get_verified_chain"):  # from Python 3.13 on
        return tuple(ours.get_verified_chain())
    found = ours._sslobj.get_verified_chain() or ()  # noqa: SLF001 - the same, not yet public
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in found)


def read(der: bytes) -> x509.Certificate | None:
    """A certificate; None for one that is good enough for TLS, but can't be read."""
    try:
        found = x509.load_der_x509_certificate(der)
        found.subject  # noqa: B018 - read when it is asked for
        found.issuer  # noqa: B018 - as above
    except ValueError:
        return None
    return found


def chain_of(
    own: bytes, verified: tuple[bytes, ...], issuers: frozenset[str], judged_by: object
) -> ClientChain:
    """What there is to know; `issuers` are the authorities, as `ShownCertificate` has them."""
    thumbprint = hashlib.sha256(own).hexdigest()
    found = [read(der) for der in (own, *verified[1:])]
    known = [each for each in found if each is not None]
    subject, names = _described(found[0]) if found[0] is not None else ("", frozenset[str]())
    return ClientChain(
        shown=ShownCertificate(thumbprint, subject, names, issuers),
        links=tuple((each.issuer.public_bytes(), each.serial_number) for each in known),
        until=min((each.not_valid_after_utc.timestamp() for each in known), default=math.inf),
        anchor=verified[-1] if verified else b"",
        judged_by=judged_by if len(known) < len(found) else None,
    )


def key_print(certificate: x509.Certificate) -> str:
    """SHA-256 of its public key, hexadecimal in lower case; "" for a key of an unknown kind."""
    try:
        key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return hashlib.sha256(key).hexdigest()


def told_by_subject(trusted: Iterable[bytes]) -> dict[bytes, str]:
    """Authorities of settings to the subject of each; "" where several keys have the same."""
    found = {der: each for der in trusted if (each := read(der)) is not None}
    keys: dict[str, set[str]] = {}
    for each in found.values():
        keys.setdefault(each.subject.rfc4514_string(), set()).add(key_print(each))
    subjects = {der: each.subject.rfc4514_string() for der, each in found.items()}
    return {der: name if len(keys[name]) == 1 else "" for der, name in subjects.items()}


def _described(certificate: x509.Certificate) -> tuple[str, frozenset[str]]:
    """Its subject and names; neither where one of both can't be read in full."""
    try:
        return certificate.subject.rfc4514_string(), _names(certificate)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return "", frozenset()


def _names(certificate: x509.Certificate) -> frozenset[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    return frozenset(
        [
            *(f"DNS:{name.lower()}" for name in found.get_values_for_type(x509.DNSName)),
            *(f"URI:{name}" for name in uris),
            *(f"email:{name.lower()}" for name in found.get_values_for_type(x509.RFC822Name)),
            *(f"IP:{address}" for address in found.get_values_for_type(x509.IPAddress)),
        ]
    )
