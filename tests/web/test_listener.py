"""Listening: addresses, certificates, and an end that lets running answers finish."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from linarite.domain.errors import SetupError
from linarite.web import protocol
from linarite.web.asgi import handler_of
from linarite.web.listener import Listener
from linarite.web.options import Server
from tests.web.wire import exchange, get_lines, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.web.asgi import Receive, Scope, Send

pytestmark = pytest.mark.anyio

WAIT_S = 10.0
GET = get_lines("GET", "/", [("host", "localhost")])


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops."""
    return "asyncio", {"use_uvloop": request.param}


class Page:
    """An application that answers when it may."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say the scheme, in two halves."""
        del receive
        self.running += 1
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        told = json.dumps({"scheme": scope["scheme"]}).encode()
        await send({"type": "http.response.body", "body": told[:5], "more_body": True})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": told[5:]})
        self.running -= 1


async def until(true: Callable[[], bool]) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)


class Certificate:
    """A certificate for this machine that signs itself, and its key."""

    def __init__(self, folder: Path, name: str = "own", password: bytes | None = None) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key, hashes.SHA256())
        )
        seal = (
            serialization.BestAvailableEncryption(password)
            if password
            else serialization.NoEncryption()
        )
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        self.key.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal)
        )

    def options(self, **more: Any) -> Server:  # noqa: ANN401 - settings
        """Settings to listen with it."""
        return Server(port=0, tls_certificate=str(self.certificate), tls_key=str(self.key), **more)


async def test_it_says_where_it_listens() -> None:
    """The port that was found free, in a URL that clients on this machine can use."""
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")):  # noqa: S104 - closed at once
        listener = Listener(handler_of(Page()), Server(host=host, port=0))
        await listener.open()
        try:
            assert listener.port > 0
            assert listener.url == f"http://{shown}:{listener.port}"
            async with httpx.AsyncClient(trust_env=False) as client:
                assert (await client.get(listener.url)).json() == {"scheme": "http"}
        finally:
            await listener.close(0)


async def test_a_port_in_use_is_told() -> None:
    """With what to change; nothing is left open."""
    first = Listener(handler_of(Page()), Server(port=0))
    await first.open()
    second = Listener(handler_of(Page()), Server(port=first.port))
    with pytest.raises(SetupError, match=r"server\.port") as refused:
        await second.open()
    assert str(first.port) in refused.value.message
    await second.close(0)
    assert (await exchange(first.port, GET)).status == 200
    await first.close(0)


async def test_a_port_that_is_bound_but_not_listened_on_yet_is_told() -> None:
    """Two sockets may be bound to one port; only one of them can listen."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        listener = Listener(handler_of(Page()), Server(port=port))
        other.listen()
        with pytest.raises(SetupError, match=r"server\.port"):
            await listener.open()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "::ffff:x", "2001:db8::1"])
async def test_an_address_of_another_machine_is_told(host: str) -> None:
    """It cannot be listened on; the message names the setting."""
    with pytest.raises(SetupError, match=r"server\.host"):
        await Listener(handler_of(Page()), Server(host=host, port=0)).open()


async def test_tls_with_ones_own_certificate(tmp_path: Path) -> None:
    """Clients that trust it are served, others and plain ones are not; and streams work."""
    own = Certificate(tmp_path)
    listener = Listener(handler_of(Page()), own.options())
    await listener.open()
    try:
        assert listener.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(own.certificate))
        async with httpx.AsyncClient(verify=trusting, trust_env=False) as client:
            for _ in range(3):
                assert (await client.get(listener.url)).json() == {"scheme": "https"}
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(listener.url)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET)
        async with asyncio.timeout(WAIT_S):
            assert not (await reader.read()).startswith(b"HTTP/1.1 2")
        writer.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(str(own.certificate))
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", listener.port, ssl=old)
    finally:
        await listener.close(0)


async def test_over_tls_too_large_a_head_is_refused_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What TLS had read before the refusal is not parsed after it."""
    monkeypatch.setattr(protocol, "LINGER_S", 0.1)
    own = Certificate(tmp_path)
    page = Page()
    listener = Listener(handler_of(page), own.options())
    await listener.open()
    trusting = ssl.create_default_context(cafile=str(own.certificate))
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=trusting, server_hostname="localhost"
        )
        writer.write(get_lines("GET", "/", [("x", "y" * 70_000)]) + GET * 10)
        async with asyncio.timeout(WAIT_S):
            assert (await read_answer(reader)).status == 431
            assert await reader.read() == b""
        writer.close()
        assert page.running == 0
    finally:
        await listener.close(0)


async def test_certificates_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    """Missing, not PEM, another's key, or a key with a password: nobody is asked for one."""
    own, other = Certificate(tmp_path), Certificate(tmp_path, "other")
    sealed = Certificate(tmp_path, "sealed", password=b"secret")
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    for certificate, key in (
        (str(tmp_path / "absent.crt"), str(own.key)),
        (str(own.certificate), str(tmp_path / "absent.key")),
        (str(junk), str(own.key)),
        (str(own.certificate), str(junk)),
        (str(own.certificate), str(other.key)),
        (str(sealed.certificate), str(sealed.key)),
    ):
        listener = Listener(
            handler_of(Page()), Server(port=0, tls_certificate=certificate, tls_key=key)
        )
        with pytest.raises(SetupError, match=r"server\.tls_certificate or server\.tls_key"):
            await listener.open()


async def test_the_date_moves_on() -> None:
    """Every answer has it; it is the time it is, in GMT."""
    listener = Listener(handler_of(Page()), Server(port=0))
    await listener.open()
    try:
        seen: set[str | None] = set()
        deadline = time.monotonic() + WAIT_S
        while len(seen) < 2 and time.monotonic() < deadline:
            date = (await exchange(listener.port, GET)).header("date") or ""
            assert date.endswith(" GMT")
            seen.add(date)
            assert abs(parsedate_to_datetime(date).timestamp() - time.time()) < WAIT_S
            await asyncio.sleep(0.1)
        assert len(seen) == 2
    finally:
        await listener.close(0)


async def test_the_end_lets_running_answers_finish() -> None:
    """They are complete, their connections close, idle ones close at once, new ones find nobody."""
    page = Page()
    listener = Listener(handler_of(page), Server(port=0))
    await listener.open()
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", listener.port)
    idle_writer.write(GET)
    await read_answer(idle_reader)
    page.may_end.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(GET)
    await until(lambda: page.running == 1)
    closing = asyncio.create_task(listener.close(60))
    async with asyncio.timeout(WAIT_S):
        assert await idle_reader.read() == b""
    with pytest.raises(OSError, match=r".*"):
        await asyncio.open_connection("127.0.0.1", listener.port)
    assert not closing.done()
    page.may_end.set()
    async with asyncio.timeout(WAIT_S):
        assert (await read_answer(reader)).json() == {"scheme": "http"}
        assert await reader.read() == b""
        await closing
    writer.close()
    idle_writer.close()


async def test_the_end_comes_even_if_an_answer_does_not() -> None:
    """After the grace the connection is cut; `close` returns."""
    page = Page()
    page.may_end.clear()
    listener = Listener(handler_of(page), Server(port=0))
    await listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(GET)
    await until(lambda: page.running == 1)
    async with asyncio.timeout(WAIT_S):
        await listener.close(0.05)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await read_answer(reader)
    assert not listener._shared.open
    writer.close()


async def test_closing_what_never_opened_is_nothing() -> None:
    """A start that failed half-way may close everything."""
    await Listener(handler_of(Page()), Server(port=0)).close(0)
