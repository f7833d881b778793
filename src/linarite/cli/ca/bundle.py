"""One file with the public authorities of this machine and the local one."""

from __future__ import annotations

import ssl
from pathlib import Path

from linarite.web.certificates.places import BUNDLE_FILE, CA_FILE

KNOWN_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
"""where Debian, Fedora and macOS keep theirs"""


def write_bundle(folder: Path) -> Path:
    """Write it beside the authority. Raises SetupError."""
    from linarite.web.certificates.authority import write_whole  # noqa: PLC0415 - slow

    bundle = folder / BUNDLE_FILE
    content = public_authorities() + (folder / CA_FILE).read_text()
    if not bundle.exists() or bundle.read_text() != content:
        write_whole(bundle, content.encode(), mode=0o644)
    return bundle


def public_authorities() -> str:
    """What this machine trusts by itself, as PEM; "" where it trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    found = context.get_ca_certs(binary_form=True)
    if found:
        return "".join(ssl.DER_cert_to_PEM_cert(each) for each in found)
    for file in map(Path, KNOWN_BUNDLES):
        if file.is_file():
            return file.read_text(encoding="utf-8", errors="replace").rstrip("\n") + "\n"
    return ""
