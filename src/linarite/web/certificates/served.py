"""What the served certificate means to clients: whom they have to trust, which name to use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from linarite.domain.errors import SetupError

if TYPE_CHECKING:
    from linarite.web.options import Server


class ServedCertificate:
    """The chain of `server.tls_certificate`, read once."""

    def __init__(self, options: Server) -> None:
        """Read it. Raises SetupError when it is none."""
        self._options = options
        self._chain = _certificates(options.tls_certificate, "server.tls_certificate")

    def authority_file(self, folder: Path) -> str | None:
        """The file that makes clients trust us; None where public authorities do.

        Without `server.tls_ca_file`, what is self-signed in the chain is written to `ca.pem` in
        `folder`: by itself, because the chain's own file may hold the private key too.
        """
        if self._options.tls_ca_file:
            _certificates(self._options.tls_ca_file, "server.tls_ca_file")
            return str(Path(self._options.tls_ca_file).absolute())
        anchors = [each for each in self._chain if _is_self_signed(each)]
        if not anchors:
            return None
        file = folder / "ca.pem"
        file.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in anchors))
        return str(file)

    def host_for(self, host: str) -> str:
        """`host` if the certificate is valid for it, else the first name that it is valid for."""
        names = names_of(self._chain[0])
        if host in names:
            return host
        return next((name for name in names if "*" not in name), host)


def served_names(file: str, setting: str) -> list[str]:
    """The names in a chain's first certificate, `*.example.com` among them. Raises SetupError."""
    return names_of(_certificates(file, setting)[0])


def _certificates(file: str, setting: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(Path(file).read_bytes())
    except (OSError, ValueError) as problem:
        raise SetupError(
            f"{setting} can't be used: {problem}. It must be a PEM file with certificates."
        ) from None


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, TypeError, ValueError):
        return False
    return True


def names_of(certificate: x509.Certificate) -> list[str]:
    """The host names and addresses that a certificate is valid for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    names = found.value.get_values_for_type(x509.DNSName)
    addresses = found.value.get_values_for_type(x509.IPAddress)
    return [*names, *(str(address) for address in addresses)]
