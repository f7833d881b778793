"""What comes before HTTP: PROXY headers, TLS handshakes, caps; by real sockets on both loops."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from linarite.domain.errors import SetupError
from linarite.web.certificates.places import CA_FILE, FOLDER
from linarite.web.listener import Listener
from linarite.web.options import ListenerSettings, Server
from linarite.web.tls import ServerTls
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.web.exchange import Exchange

pytestmark = pytest.mark.anyio

WAIT_S = 10.0
GET = get_lines("GET", "/", [("host", "localhost")])
SPOOFED = get_lines("GET", "/", [("host", "localhost"), ("x-forwarded-for", "6.6.6.6")])


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops."""
    return "asyncio", {"use_uvloop": request.param}


async def tell(exchange: Exchange) -> None:
    """Answer with who the client is."""
    client = exchange.client[0] if exchange.client is not None else "nobody"
    exchange.respond(200, b"", f"{client} {exchange.secure}".encode())


@asynccontextmanager
async def listening(home: Path, **options: Any) -> AsyncIterator[Listener]:  # noqa: ANN401 - settings
    """A listener of its own, with the local authority in `home`."""
    settings = ListenerSettings(**{"address": "127.0.0.1", "port": 0, **options})
    listener = Listener(
        tell, settings, tls=ServerTls(Server(), home=home), section="listeners.tested"
    )
    await listener.open()
    try:
        yield listener
    finally:
        await listener.close(0)


def trusting(home: Path) -> ssl.SSLContext:
    """A client that trusts the local authority alone."""
    return ssl.create_default_context(cafile=home / FOLDER / CA_FILE)


async def said_to(
    listener: Listener, request: bytes = GET, *, before: bytes = b"", tls: ssl.SSLContext | None
) -> str:
    """What one request is answered, after a PROXY header maybe; "" for a closed connection."""
    async with asyncio.timeout(WAIT_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        try:
            writer.write(before)
            if tls is not None:
                await writer.start_tls(tls, server_hostname="localhost")
            writer.write(request)
            return (await read_answer(reader)).body.decode()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            return ""
        finally:
            writer.close()


HEADER = b"PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n"


async def test_a_proxys_header_tells_the_client(tmp_path: Path) -> None:
    """Before TLS and before plain HTTP, of a trusted proxy; then its clients' headers are not."""
    proxied = {"proxy_protocol": True, "trusted_proxies": ["127.0.0.0/8"]}
    async with listening(tmp_path, **proxied) as listener:
        tls = trusting(tmp_path)
        assert await said_to(listener, before=HEADER, tls=tls) == "192.0.2.7 True"
        assert await said_to(listener, SPOOFED, before=HEADER, tls=tls) == "192.0.2.7 True"
        assert await said_to(listener, tls=tls) == ""
    async with listening(tmp_path, tls=False, **proxied) as listener:
        assert await said_to(listener, before=HEADER, tls=None) == "192.0.2.7 False"
        assert await said_to(listener, SPOOFED, before=HEADER, tls=None) == "192.0.2.7 False"
        assert await said_to(listener, tls=None) == ""
        loopback = HEADER.replace(b"192.0.2.7", b"0.0.0.0")
        assert await said_to(listener, before=loopback, tls=None) == ""


async def test_nobody_else_tells_the_client(tmp_path: Path) -> None:
    """A header of who is no trusted proxy ends the connection; so does one that nobody expects."""
    others = {"proxy_protocol": True, "trusted_proxies": ["192.0.2.0/24"]}
    async with listening(tmp_path, tls=False, **others) as listener:
        assert await said_to(listener, before=HEADER, tls=None) == ""
        assert await said_to(listener, tls=None) == ""
    async with listening(tmp_path, tls=False, trusted_proxies=["192.0.2.0/24"]) as listener:
        assert await said_to(listener, SPOOFED, tls=None) == "127.0.0.1 False"
        assert "192.0.2.7" not in await said_to(listener, before=HEADER, tls=None)
    async with listening(tmp_path, tls=False, trusted_proxies=["127.0.0.1"]) as listener:
        assert await said_to(listener, SPOOFED, tls=None) == "6.6.6.6 False"


async def test_a_handshake_has_its_time(tmp_path: Path) -> None:
    """Silence before TLS, and before a PROXY header, is not waited for; it counts meanwhile."""
    proxied = {"proxy_protocol": True, "trusted_proxies": ["127.0.0.1"]}
    for more in ({}, proxied):
        async with listening(tmp_path, handshake_s=0.5, connections_max=2, **more) as listener:
            began = time.monotonic()
            silent = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
            before = HEADER if more else b""
            tls = trusting(tmp_path)
            assert await said_to(listener, before=before, tls=tls) == ""  # two are there
            async with asyncio.timeout(WAIT_S):
                for reader, writer in silent:
                    assert await reader.read() == b""
                    writer.close()
            assert 0.4 < time.monotonic() - began < 5
            assert await said_to(listener, before=before, tls=tls) != ""
            assert listener._shared.held <= 1


async def test_one_address_has_only_so_many(tmp_path: Path) -> None:
    """Others are served meanwhile; who has gone makes room; trusted proxies have any number."""
    async with listening(tmp_path, tls=False, connections_per_address_max=2) as listener:
        held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        for reader, writer in held:
            writer.write(GET)
            assert (await read_answer(reader)).status == 200
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        refused = await read_answer(reader)
        writer.close()
        assert refused.status == 503
        assert "listeners.tested.connections_per_address_max" in refused.body.decode()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, local_addr=("127.0.0.2", 0)
        )
        writer.write(GET)
        assert (await read_answer(reader)).body == b"127.0.0.2 False"
        writer.close()
        for _, writer in held:
            writer.close()
        await gone(listener)
        assert await said_to(listener, tls=None) == "127.0.0.1 False"
    trusted = {"connections_per_address_max": 1, "trusted_proxies": ["127.0.0.1"]}
    async with listening(tmp_path, tls=False, **trusted) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await said_to(listener, tls=None) == "127.0.0.1 False"
        writer.close()


async def gone(listener: Listener) -> None:
    """Wait until nobody is connected."""
    async with asyncio.timeout(WAIT_S):
        while listener._shared.held:  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)


async def test_what_goes_wrong_is_counted_out(tmp_path: Path) -> None:
    """Plain HTTP, noise and leaving at once in place of a handshake: no place stays taken."""
    async with listening(tmp_path) as listener:
        for noise in (GET, b"\x00" * 100, b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.write(noise)
            if noise:
                async with asyncio.timeout(WAIT_S):
                    answer = await reader.read()
                assert (b"begin the URL with https://" in answer) is (noise == GET)
                assert not answer.startswith(b"HTTP/1.1 200")
            writer.close()
        await gone(listener)
        assert await said_to(listener, tls=trusting(tmp_path)) == "127.0.0.1 True"
        await gone(listener)


async def test_who_leaves_before_tls_is_told_as_such(tmp_path: Path) -> None:
    """As health checks by TCP alone do: nobody has asked them for a PROXY header."""
    with capture_logs() as told:
        async with listening(tmp_path) as listener:
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.close()
            async with asyncio.timeout(WAIT_S):
                while not any(each["event"] == "connection refused" for each in told):  # noqa: ASYNC110 - any condition
                    await asyncio.sleep(0.005)
    reasons = [each["reason"] for each in told if each["event"] == "connection refused"]
    assert reasons == ["the connection broke before it was open"]


async def test_a_connection_has_so_many_requests(tmp_path: Path) -> None:
    """The last one's answer says that it closes."""
    async with listening(tmp_path, tls=False, keep_alive_requests_max=2) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET * 3)
        async with asyncio.timeout(WAIT_S):
            assert (await read_answer(reader)).header("connection") is None
            assert (await read_answer(reader)).header("connection") == "close"
            assert await reader.read() == b""
        writer.close()


async def test_a_unix_socket(tmp_path: Path) -> None:
    """With its mode; the file goes with the listener, and a left-over one is replaced."""
    path = tmp_path / "s"
    options = {"address": f"unix:{path}", "tls": False, "socket_mode": "0600"}
    path_mode = 0o600
    for more, told in (
        ({}, "nobody False"),
        ({"trusted_proxies": ["unix"]}, "6.6.6.6 False"),
        ({"trusted_proxies": ["10.0.0.1"]}, "nobody False"),
    ):
        with socket.socket(socket.AF_UNIX) as killed:
            killed.bind(str(path))
        async with listening(tmp_path, **options, **more) as listener:
            assert listener.url == f"unix:{path}"
            assert path.stat().st_mode & 0o777 == path_mode
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(SPOOFED)
            assert (await read_answer(reader)).body.decode() == told
            writer.close()
            with pytest.raises(SetupError, match="in use"):
                async with listening(tmp_path, **options):
                    pass
        assert not path.exists()


async def test_open_handshakes_do_not_outlive_the_listener(tmp_path: Path) -> None:
    """Closing ends them too, at once."""
    async with listening(tmp_path, handshake_s=60) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        async with asyncio.timeout(WAIT_S):
            while not listener._shared.held:  # noqa: ASYNC110 - any condition
                await asyncio.sleep(0.005)
    async with asyncio.timeout(WAIT_S):
        assert await reader.read() == b""
    writer.close()
    assert not listener._shared.held
