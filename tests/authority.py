"""Certificates for tests, from authorities of their own."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path, name: str, *, above: Authority | None = None) -> None:
        """`above` certifies it, where it is no root; the files are in the folder all the same."""
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        issuer = above or self
        certificate = issuer._certify(name, self._key.public_key(), is_authority=True)
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        self._below_root = pem + above._below_root if above is not None else b""
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(pem)

    @property
    def key_pem(self) -> bytes:
        """Its private key."""
        return _pem_of(self._key)

    def server_context(self, host: str) -> ssl.SSLContext:
        """TLS for a server of this name or address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(host))
        return context

    def server_file(self, host: str, *, valid_s: float = 3600) -> Path:
        """Key and certificate of a server of this name or address, as one PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify(host, key.public_key(), is_authority=False, valid_s=valid_s)
        chain = self._folder / f"{self._name}-{host}.pem"
        own = _pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM)
        chain.write_bytes(own + self._below_root)
        return chain

    def client_file(self, name: str, *, valid_s: float = 3600) -> Path:
        """Key and certificate of a client of this name, as one PEM file."""
        # without a key usage it is good for both
        return self.server_file(name, valid_s=valid_s)

    @property
    def key_print(self) -> str:
        """SHA-256 of its public key."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(public).hexdigest()

    def revocations(self, *files: Path, odd: x509.ExtensionType | None = None) -> bytes:
        """A list of the certificates in files that it has revoked, as PEM; `odd` stands in it."""
        now = dt.datetime.now(dt.UTC)
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self._name)])
        made = x509.CertificateRevocationListBuilder().issuer_name(issuer)
        made = made.last_update(now - dt.timedelta(hours=1)).next_update(now + dt.timedelta(days=1))
        for each in files:
            number = x509.load_pem_x509_certificate(each.read_bytes()).serial_number
            entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now)
            made = made.add_revoked_certificate(entry.build())
        if odd is not None:
            made = made.add_extension(odd, critical=False)
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def _certify(
        self,
        subject: str,
        key: ec.EllipticCurvePublicKey,
        *,
        is_authority: bool,
        valid_s: float = 3600,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        try:
            name: x509.GeneralName = x509.IPAddress(ip_address(subject))
        except ValueError:
            name = x509.DNSName(subject)
        by_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]
        issuer = [x509.NameAttribute(x509.NameOID.COMMON_NAME, self._name)]
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name(attributes))
            .issuer_name(x509.Name(issuer))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(seconds=valid_s))
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(by_key, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def self_signed(name: str) -> tuple[bytes, bytes]:
    """What an application signs assertions with: key and certificate as PEM; the latter alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return _pem_of(key) + public, public


def _pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
