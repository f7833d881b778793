"""From what a TLS handshake has shown to whose certificate it is."""

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from typing import TYPE_CHECKING

from linarite.domain.client_certificate import ShownCertificate

if TYPE_CHECKING:
    import ssl

    from cryptography.x509 import Certificate


def shown_certificate(connection: ssl.SSLObject) -> ShownCertificate | None:
    """The certificate that a client has shown; None where it has shown none."""
    der = connection.getpeercert(binary_form=True)
    if der is None:
        return None
    from cryptography import x509  # noqa: PLC0415 - slow, and only listeners that ask need it

    thumbprint = hashlib.sha256(der).hexdigest()
    try:
        certificate = x509.load_der_x509_certificate(der)
        return ShownCertificate(
            thumbprint, certificate.subject.rfc4514_string(), _names(certificate)
        )
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        # good enough for TLS, but not to be read in full
        return ShownCertificate(thumbprint, "")


def _names(certificate: Certificate) -> frozenset[str]:
    from cryptography import x509  # noqa: PLC0415 - as above

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


def tidy_name(said: str) -> str:
    """A subject alternative name as `ShownCertificate.names` has it. Raises ValueError."""
    kind, _, value = said.partition(":")
    match kind.lower():
        case "dns":
            return f"DNS:{value.lower()}"
        case "email":
            return f"email:{value.lower()}"
        case "ip":
            return f"IP:{ip_address(value)}"
        case "uri":
            return f"URI:{value}"
        case _:
            raise ValueError("its kind is none of DNS:, URI:, email: and IP:")
