"""The local certificate authority: a key and a certificate in the home, and what it certifies.

Its certificate permits only names of this machine and of `server.domain`: who steals the key can
speak for nothing else. Source: RFC 5280, "Name Constraints".
"""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from linarite.domain.account_names import hosts_of, private_zones
from linarite.domain.errors import SetupError
from linarite.domain.target import literal_address
from linarite.web.certificates.client_chain import key_print
from linarite.web.certificates.material import Material
from linarite.web.certificates.places import CA_FILE, KEY_FILE, LEAF_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AUTHORITY_DAYS = 3650
NOT_BEFORE = timedelta(minutes=10)
"""clocks differ"""
PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)

EVERY_USAGE = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Scope:
    """What the authority may certify."""

    def __init__(self, domain: str, local_names: Iterable[str] = ()) -> None:
        """`local_names`: host names and addresses beside this machine's."""
        self.domain = domain
        said = [name.lower() for name in local_names]
        addresses = [each for each in said if literal_address(each) is not None]
        self.own_names = [
            "localhost",
            *_own_host_name(),
            *(each for each in said if each not in addresses),
        ]
        self.own_addresses = addresses
        self.networks = [ip_network(each) for each in (*PRIVATE_NETWORKS, *addresses)]

    def account_names(self) -> list[str]:
        """One name for all accounts of each service, inside and outside."""
        return [
            self.domain,
            f"*.{self.domain}",
            *hosts_of("*", self.domain),
            *(f"*.{zone}" for zone in private_zones(self.domain)),
        ]

    def constraints(self) -> x509.NameConstraints:
        """As a certificate says it; names below permitted ones are permitted too."""
        names = dict.fromkeys([self.domain, *self.own_names])
        permitted = [
            *(x509.DNSName(name) for name in names),
            *(x509.IPAddress(network) for network in self.networks),
        ]
        return x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)


class LocalAuthority:
    """The authority that lies in a folder."""

    def __init__(self, folder: Path, secret: bytes = b"") -> None:
        """Read it. `secret` opens the key. Raises SetupError when it can't be read."""
        self.folder = folder
        self._secret = secret
        try:
            pem = (folder / KEY_FILE).read_bytes()
            self.certificate = x509.load_pem_x509_certificate(pem)
            key = serialization.load_pem_private_key(pem, password=secret or None)
        except (OSError, ValueError, TypeError) as problem:
            raise SetupError(
                f"{folder / KEY_FILE} can't be used: {problem}. It is sealed under the master key "
                "that it was made with: put both back from a backup, or make a new authority "
                "with: linarite ca renew --new-key"
            ) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SetupError(f"{folder / KEY_FILE} holds a key of another kind than EC P-256.")
        self._key = key

    @property
    def key_print(self) -> str:
        """SHA-256 of its public key, as `client_certificates.NAME.issuer` may name it."""
        return key_print(self.certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as people compare it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def permitted(self) -> list[str]:
        """The names and networks that it may certify."""
        found = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        return [str(each.value) for each in found.permitted_subtrees or []]

    def server(self, names: Sequence[str], days: int = LEAF_DAYS) -> Material:
        """A certificate for a server, with a new key. Raises SetupError for names out of scope."""
        self.require_permitted(names)
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        certificate = self._certify(names[0], [_general(each) for each in names], key, usage, days)
        return Material(_pem(certificate), _key_pem(key), frozenset(names))

    def client(self, name: str, days: int = LEAF_DAYS) -> Material:
        """A certificate for a client, with a new key: subject CN=name, and no host names."""
        key = ec.generate_private_key(ec.SECP256R1())
        uri = [x509.UniformResourceIdentifier(f"urn:linarite:client:{name}")]
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        return Material(_pem(self._certify(name, uri, key, usage, days)), _key_pem(key))

    def require_permitted(self, names: Sequence[str]) -> None:
        """Raise SetupError for names that this authority's certificate does not permit."""
        found = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        permitted = list(found.permitted_subtrees or [])
        for name in names:
            if not any(_permits(each, name.removeprefix("*.")) for each in permitted):
                raise SetupError(
                    f"The local authority may not certify '{name}'. Add it to server.local_names "
                    "(or set server.domain), then run: linarite ca renew"
                )

    def permits(self, name: str) -> bool:
        """Whether clients that trust it would believe it this name or address."""
        try:
            self.require_permitted([name])
        except SetupError:
            return False
        return True

    def renewed(self, scope: Scope) -> None:
        """Write a new certificate of the same key, for ten years more and for `scope`."""
        pem = _authority_pem(self._key, scope, self._secret)
        write_whole(self.folder / KEY_FILE, pem, replace=True)
        publish(self.folder)

    def _certify(
        self,
        common_name: str,
        names: Sequence[x509.GeneralName],
        key: ec.EllipticCurvePrivateKey,
        usage: x509.ObjectIdentifier,
        days: int,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        until = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - NOT_BEFORE)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)  # noqa: FBT003 - as the library has it
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def fingerprint_of(material: Material) -> str:
    """SHA-256 of its first certificate, as `thumbprint` in the settings takes it."""
    return x509.load_pem_x509_certificates(material.chain)[0].fingerprint(hashes.SHA256()).hex()


def open_authority(folder: Path, scope: Scope, secret: bytes = b"") -> LocalAuthority:
    """The authority of a folder, made if there is none yet. Raises SetupError.

    `secret` is what its key is sealed with; without one it lies in the clear.
    """
    if not (folder / KEY_FILE).exists():
        make_authority(folder, scope, secret)
    authority = LocalAuthority(folder, secret)
    publish(folder)
    return authority


def make_authority(
    folder: Path, scope: Scope, secret: bytes = b"", *, replace: bool = False
) -> None:
    """Make a new one; who was to trust the old one has to trust this. Raises SetupError."""
    key = ec.generate_private_key(ec.SECP256R1())
    write_whole(folder / KEY_FILE, _authority_pem(key, scope, secret), replace=replace)
    publish(folder)


def publish(folder: Path) -> None:
    """Write the certificate beside the key, by itself, to be handed out. Raises SetupError."""
    certificate = _pem(x509.load_pem_x509_certificate((folder / KEY_FILE).read_bytes()))
    public = folder / CA_FILE
    if not public.exists() or public.read_bytes() != certificate:
        write_whole(public, certificate, mode=0o644)


def _authority_pem(key: ec.EllipticCurvePrivateKey, scope: Scope, secret: bytes) -> bytes:
    now = datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Linarite"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Linarite local authority of {_machine()}"),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - NOT_BEFORE)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(scope.constraints(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _key_pem(key, secret) + _pem(certificate)


def _permits(permitted: x509.GeneralName, name: str) -> bool:
    address = literal_address(name)
    if isinstance(permitted, x509.IPAddress):
        return address is not None and address in ip_network(str(permitted.value))
    if isinstance(permitted, x509.DNSName) and address is None:
        return name == permitted.value or name.endswith(f".{permitted.value}")
    return False


def _general(name: str) -> x509.GeneralName:
    address = literal_address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _machine() -> str:
    return socket.gethostname()[:30] or "this machine"


def _own_host_name() -> list[str]:
    """What this machine calls itself, if that can stand in a certificate. Nobody is asked."""
    name = socket.gethostname().lower().rstrip(".")
    fits = name.isascii() and name.replace("-", "").replace(".", "").isalnum()
    return [name] if fits and literal_address(name) is None else []


def _key_usage(*usages: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in usages for each in EVERY_USAGE})


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey, secret: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption(),
    )


def write_whole(path: Path, content: bytes, *, replace: bool = True, mode: int = 0o600) -> None:
    """Write a file whole or not at all. Without `replace`, one that is there by then stays.

    Raises SetupError.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(number, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(content)
                file.flush()
                os.fsync(number)
            Path(name).chmod(mode)
            if replace:
                Path(name).replace(path)
            else:
                with suppress(FileExistsError):  # another process was quicker: its is the one
                    path.hardlink_to(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as problem:
        raise SetupError(f"{path} can't be written: {problem.strerror}.") from None
