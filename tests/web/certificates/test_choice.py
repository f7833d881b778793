"""Which certificate a client sees, as real handshakes show it."""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from linarite.domain.arrival import Arrival
from linarite.web.certificates import contexts
from linarite.web.certificates.places import CA_FILE, FOLDER
from linarite.web.listeners import Listeners
from linarite.web.options import CertificateSettings, Server
from linarite.web.tls import ServerTls
from tests.authority import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.web.exchange import Exchange

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops."""
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at for every handshake."""
    monkeypatch.setattr(contexts, "LOOK_S", 0.0)


async def answer(exchange: Exchange) -> None:
    """Nobody asks."""
    exchange.respond(200, b"", b"")


@asynccontextmanager
async def listening(
    tls: ServerTls, arrival: Arrival, options: Server | None = None
) -> AsyncIterator[int]:
    """A listener at run time, as a private endpoint is one; its port."""
    listeners = Listeners(answer, tls)
    server = options or Server(port=0, tls=True)
    listener = await listeners.open(server, arrival)
    try:
        yield listener.port
    finally:
        await listeners.close_all(0)


def everywhere(*, tls: bool) -> Server:
    """Options of a listener on all addresses of this machine."""
    return Server(host="0.0.0.0", port=0, tls=tls)  # noqa: S104 - for a moment


async def seen(port: int, name: str | None, host: str = "127.0.0.1") -> x509.Certificate:
    """The certificate that a client sees who asks for a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(
        asyncio.Protocol, host, port, ssl=context, server_hostname=name or ""
    )
    der = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    transport.abort()
    return x509.load_der_x509_certificate(der)


def names(certificate: x509.Certificate) -> list[str]:
    """What it is valid for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = found.get_values_for_type(x509.IPAddress)
    return [*found.get_values_for_type(x509.DNSName), *(str(each) for each in addresses)]


async def test_the_name_asked_for_chooses(tmp_path: Path) -> None:
    """Exact before wildcard before the local authority's; the default for everybody else."""
    authority = Authority(tmp_path, "theirs")
    pairs = {
        name: CertificateSettings(str(file), str(file))
        for name, file in (
            ("wide", authority.server_file("*.example.com")),
            ("exact", authority.server_file("api.example.com")),
            ("address", authority.server_file("127.0.0.3")),
        )
    }
    tls = ServerTls(Server(), pairs, tmp_path / "home")
    async with listening(tls, Arrival("x"), everywhere(tls=True)) as port:
        for asked, got in (
            ("api.example.com", "api.example.com"),
            ("API.Example.com", "api.example.com"),
            ("other.example.com", "*.example.com"),
            ("a.b.example.com", "*.example.com"),  # nothing fits: the first is the default
            ("nobody.test", "*.example.com"),
            (None, "*.example.com"),
            ("localhost", "localhost"),
            ("acme.openai.linarite.internal", "localhost"),
        ):
            assert names(await seen(port, asked))[0] == got, asked
        assert names(await seen(port, None, "127.0.0.3")) == ["127.0.0.3"]


async def test_the_local_authority_has_the_names_of_accounts(tmp_path: Path) -> None:
    """And the address that was connected to; official clients believe it."""
    tls = ServerTls(Server(domain="ai.corp"), home=tmp_path)
    endpoint = Arrival("pe", account_id="/a", endpoint_id="/pe")
    async with listening(tls, endpoint, everywhere(tls=False)) as port:
        trusted = ssl.create_default_context(cafile=tmp_path / FOLDER / CA_FILE)
        for host, name in (
            ("127.0.0.1", "acme.openai.ai.corp"),
            ("127.0.0.1", "acme.services.ai.ai.corp"),
            ("127.0.0.1", "acme.cognitiveservices.ai.corp"),
            ("127.0.0.1", "acme.privatelink.openai.ai.corp"),
            ("127.0.0.1", "ai.corp"),
            ("127.0.0.1", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.9", "127.0.0.9"),
        ):
            _, writer = await asyncio.open_connection(host, port, ssl=trusted, server_hostname=name)
            writer.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusted, server_hostname="api.openai.com"
            )


async def test_changed_files_are_read_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For new handshakes; half a change, and what can't be used, leaves the old one in use."""
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    certificate, key = tmp_path / "served.crt", tmp_path / "served.key"

    def put(authority: Authority, *files: Path) -> None:
        both = authority.server_file("localhost").read_bytes()
        for file in files:
            beside = file.with_suffix(".new")
            beside.write_bytes(both)
            os.utime(beside)
            beside.replace(file)

    put(old, certificate, key)
    server = Server(tls_certificate=str(certificate), tls_key=str(key))
    async with listening(ServerTls(server), Arrival("x")) as port:
        before = await seen(port, "localhost")
        assert before.issuer.rfc4514_string() == "CN=old"
        certificate.write_text("no certificate")
        assert await seen(port, "localhost") == before
        put(new, certificate)  # the key is still the old one's
        assert await seen(port, "localhost") == before
        key.unlink()
        assert await seen(port, "localhost") == before
        put(new, certificate, key)
        both = certificate.read_bytes()
        key.write_bytes(both)
        assert (await seen(port, "localhost")).issuer.rfc4514_string() == "CN=new"
    said = capsys.readouterr()
    assert "the old one stays in use" in said.out + said.err


async def test_a_listener_of_an_endpoint_has_tls_by_itself(tmp_path: Path) -> None:
    """Whatever is said of the one that its options are copied from."""
    tls = ServerTls(Server(), home=tmp_path)
    proxied = Server(port=0, proxy_protocol=True, trusted_proxies=["10.0.0.1"])
    async with listening(tls, Arrival("pe", endpoint_id="/pe"), proxied) as port:
        assert "localhost" in names(await seen(port, None))
