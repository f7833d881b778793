"""Clients' certificates in the handshake: whom a listener trusts, and whom no more."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID

from linarite.domain.client_certificate import ShownCertificate
from linarite.domain.errors import SetupError
from linarite.web.certificates import contexts
from linarite.web.certificates.authority import Scope, open_authority
from linarite.web.listener import Listener
from linarite.web.options import ListenerSettings, Server
from linarite.web.tls import ServerTls
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from pathlib import Path

    from linarite.web.exchange import Exchange

pytestmark = pytest.mark.anyio
WAIT_S = 10.0
GET = get_lines("GET", "/", [("host", "localhost")])


async def tell(exchange: Exchange) -> None:
    """Answer with whose certificate it was."""
    shown = exchange.certificate
    exchange.respond(200, b"", shown.subject.encode() if shown is not None else b"nobody")


async def said(listener: Listener, home: Path, certificate: Path | None) -> str:
    """What a client is told that shows a certificate; "" where it is thrown out."""
    tls = ssl.create_default_context(cafile=home / "ca" / "ca.pem")
    if certificate is not None:
        tls.load_cert_chain(certificate)
    try:
        async with asyncio.timeout(WAIT_S):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", listener.port, ssl=tls, server_hostname="localhost"
            )
            try:
                writer.write(GET)
                return (await read_answer(reader)).body.decode()
            finally:
                writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError):
        return ""


def revoked(home: Path, *certificates: Path) -> bytes:
    """A list of the local authority's."""
    pem = (home / "ca" / "authority.pem").read_bytes()
    key = serialization.load_pem_private_key(pem, None)
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateRevocationListBuilder().issuer_name(
        x509.load_pem_x509_certificate(pem).subject
    )
    made = made.last_update(now - dt.timedelta(hours=1)).next_update(now + dt.timedelta(days=1))
    for each in certificates:
        number = x509.load_pem_x509_certificate(each.read_bytes()).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(number).revocation_date(now)
        made = made.add_revoked_certificate(entry.build())
    signed = made.sign(key, hashes.SHA256())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - the library names fewer kinds of keys
    return signed.public_bytes(serialization.Encoding.PEM)


async def test_a_revocation_list_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is on it is refused in the handshake, from the moment the file says so."""
    monkeypatch.setattr(contexts, "LOOK_S", 0.0)
    authority = open_authority(tmp_path / "ca", Scope("linarite.internal"))
    good, bad = tmp_path / "good.pem", tmp_path / "bad.pem"
    for file in (good, bad):
        issued = authority.client(file.stem)
        file.write_bytes(issued.chain + issued.key)
    lists = tmp_path / "revoked.pem"
    lists.write_bytes(revoked(tmp_path))
    settings = ListenerSettings(
        address="127.0.0.1",
        port=0,
        client_certificates="optional",
        client_crl_files=[str(lists)],
    )
    listener = Listener(tell, settings, tls=ServerTls(Server(), home=tmp_path))
    await listener.open()
    try:
        assert await said(listener, tmp_path, good) == "CN=good"
        assert await said(listener, tmp_path, bad) == "CN=bad"
        assert await said(listener, tmp_path, None) == "nobody"
        lists.write_bytes(revoked(tmp_path, bad))
        assert await said(listener, tmp_path, good) == "CN=good"
        assert await said(listener, tmp_path, bad) == ""
        lists.write_text("nothing")  # the old one stays in use
        assert await said(listener, tmp_path, bad) == ""
    finally:
        await listener.close(0)


async def test_a_certificate_with_odd_names_is_one_still(tmp_path: Path) -> None:
    """Its client is served; what can't be read in full tells its thumbprint alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "odd")])
    now = dt.datetime.now(dt.UTC)
    x400 = x509.UnrecognizedExtension(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex("3004a3023000")
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1))
        .add_extension(x400, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    odd = tmp_path / "odd.pem"
    odd.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    settings = ListenerSettings(
        address="127.0.0.1", port=0, client_certificates="required", client_ca_files=[str(odd)]
    )
    shown: list[ShownCertificate | None] = []

    async def tell_all(exchange: Exchange) -> None:
        shown.append(exchange.certificate)
        exchange.respond(200, b"", b"served")

    listener = Listener(tell_all, settings, tls=ServerTls(Server(), home=tmp_path))
    await listener.open()
    try:
        assert await said(listener, tmp_path, odd) == "served"
    finally:
        await listener.close(0)
    assert shown == [ShownCertificate(certificate.fingerprint(hashes.SHA256()).hex(), "")]


async def test_authorities_that_are_none_are_told(tmp_path: Path) -> None:
    """At start, with the settings."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")
    for files in ([str(wrong)], [str(tmp_path / "absent.pem")]):
        settings = ListenerSettings(
            address="127.0.0.1", port=0, client_certificates="required", client_ca_files=files
        )
        listener = Listener(
            tell, settings, tls=ServerTls(Server(), home=tmp_path), section="listeners.a"
        )
        with pytest.raises(SetupError, match=r"listeners\.a\.client_ca_files"):
            await listener.open()
