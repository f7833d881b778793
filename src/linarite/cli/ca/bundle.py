"""One file with the public authorities of this machine and the local one."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from linarite.web.certificates.places import ADDED_FILE, BUNDLE_FILE, CA_FILE

if TYPE_CHECKING:
    from linarite.web.certificates.authority import LocalAuthority

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
KNOWN_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
"""where Debian, Fedora and macOS keep theirs"""


def write_bundle(authority: LocalAuthority) -> Path:
    """Write it beside the authority. Raises SetupError."""
    name = authority.certificate.subject.public_bytes()
    content = public_authorities(name) + (authority.folder / CA_FILE).read_text()
    return _holding(authority.folder / BUNDLE_FILE, content)


def write_added(authority: LocalAuthority, said: str | None) -> Path:
    """The file with the local authority, and what another file adds that was said before.

    An organisation's own authority would not be trusted any more otherwise. Raises SetupError.
    """
    own = authority.folder / CA_FILE
    kept = added_already(Path(said), authority.certificate.subject.public_bytes()) if said else ""
    return _holding(authority.folder / ADDED_FILE, kept + own.read_text()) if kept else own


def _holding(file: Path, content: str) -> Path:
    """The file, written where it does not hold that yet. Raises SetupError."""
    from linarite.web.certificates.authority import write_whole  # noqa: PLC0415 - slow

    if not file.exists() or file.read_text() != content:
        write_whole(file, content.encode(), mode=0o644)
    return file


def added_already(file: Path, but: bytes) -> str:
    """The certificates in a file, as PEM, but those of the name `but` (DER)."""
    try:
        pieces = file.read_text(encoding="utf-8", errors="replace").split(BEGIN)[1:]
        found = [f"{BEGIN}{piece.partition(END)[0]}{END}\n" for piece in pieces]
        return "".join(each for each in found if but not in ssl.PEM_cert_to_DER_cert(each))
    except (OSError, ValueError):  # the program that reads it would find nothing either
        return ""


def public_authorities(but: bytes) -> str:
    """What this machine trusts by itself, as PEM; "" where it trusts nobody.

    Left out are those of the name `but` (DER): in a shell with our variables, what is trusted is
    the bundle of before, with an authority in it that may have been replaced since.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    found = [each for each in context.get_ca_certs(binary_form=True) if but not in each]
    if found:
        return "".join(ssl.DER_cert_to_PEM_cert(each) for each in found)
    for file in map(Path, KNOWN_BUNDLES):
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace").rstrip("\n") + "\n"
    return ""
