"""From whom a client's certificate is, and the end of connections when it holds no more."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID
from structlog.testing import capture_logs

from linarite.web.listener import Listener
from linarite.web.options import ListenerSettings, Server
from linarite.web.tls import ServerTls
from tests.authority import Authority
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from linarite.domain.client_certificate import ShownCertificate
    from linarite.web.exchange import Exchange

pytestmark = pytest.mark.anyio
ENDS_S = 2.0
"""within which a connection has to end: docs/tls.md says so"""
UNNAMEABLE = bytes.fromhex("3006a004a002a300")
"""a distribution point by an X.400 address"""
GET = get_lines("GET", "/", [("host", "localhost")])
STREAM = get_lines("GET", "/stream", [("host", "localhost")])


class Scene:
    """A listener that asks for certificates, and what clients have shown it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "forged").mkdir()
        self.ours = Authority(folder, "ours")
        self.partner = Authority(folder, "partner")
        self.trusted = folder / "trusted.pem"
        self.trust(self.ours, self.partner)
        self.revoked = folder / "revoked.pem"
        self.revoke()
        self.listener: Listener
        self.shown: list[ShownCertificate | None] = []

    def trust(self, *authorities: Authority) -> None:
        """Have a file say whom the listener trusts."""
        self.trusted.write_bytes(b"".join(each.file.read_bytes() for each in authorities))

    def revoke(self, *files: Path) -> None:
        """Have a file say which of ours are revoked."""
        self.revoked.write_bytes(self.ours.revocations(*files) + self.partner.revocations())

    async def answer(self, exchange: Exchange) -> None:
        """At once; or without an end."""
        self.shown.append(exchange.certificate)
        if exchange.path != "/stream":
            exchange.respond(200, b"", b"served")
            return
        exchange.begin(200, b"content-type: text/plain\r\n")
        while not exchange.departed:
            exchange.write(b"more ")
            await asyncio.sleep(0.05)

    def tls(self, certificate: Path) -> ssl.SSLContext:
        """Of a client that shows it."""
        context = ssl.create_default_context(cafile=self.folder / "server.pem")
        context.load_cert_chain(certificate)
        return context

    @asynccontextmanager
    async def connected(
        self, certificate: Path
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection that shows it."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.listener.port,
            ssl=self.tls(certificate),
            server_hostname="localhost",
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def ask(self, certificate: Path) -> ShownCertificate:
        """What the listener makes of it."""
        async with self.connected(certificate) as (reader, writer):
            writer.write(GET)
            assert (await read_answer(reader)).body == b"served"
        shown = self.shown[-1]
        assert shown is not None
        return shown


@asynccontextmanager
async def standing(folder: Path, *, with_lists: bool = False) -> AsyncGenerator[Scene]:
    """The listener, open."""
    scene = Scene(folder)
    server = Authority(folder, "server").server_file("localhost")
    settings = ListenerSettings(
        address="127.0.0.1",
        port=0,
        client_certificates="required",
        client_ca_files=[str(scene.trusted)],
        client_crl_files=[str(scene.revoked)] if with_lists else [],
    )
    tls = ServerTls(Server(tls_certificate=str(server), tls_key=str(server)))
    scene.listener = Listener(scene.answer, settings, tls=tls)
    await scene.listener.open()
    try:
        yield scene
    finally:
        await scene.listener.close(0)


async def end_of(reader: asyncio.StreamReader) -> float:
    """When a connection ends, by the clock of `time.monotonic`."""
    try:
        async with asyncio.timeout(10 * ENDS_S):
            while await reader.read(65_536):
                pass
    except OSError:
        pass
    return time.monotonic()


async def test_open_connections_end_when_a_list_names_them(tmp_path: Path) -> None:
    """One that is kept alive and a stream in its midst; who is not on the list goes on."""
    async with standing(tmp_path, with_lists=True) as scene:
        bad, good = scene.ours.client_file("bad"), scene.ours.client_file("good")
        async with (
            scene.connected(bad) as (idle, asks_idle),
            scene.connected(bad) as (stream, asks_stream),
            scene.connected(good) as (other, asks_other),
        ):
            for reader, writer in ((idle, asks_idle), (other, asks_other)):
                writer.write(GET)
                assert (await read_answer(reader)).body == b"served"
            asks_stream.write(STREAM)
            assert b"more" in await stream.readuntil(b"more")
            scene.revoke(bad)
            said = time.monotonic()
            assert await end_of(idle) - said < ENDS_S
            assert await end_of(stream) - said < ENDS_S
            asks_other.write(GET)
            assert (await read_answer(other)).body == b"served"
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await scene.ask(bad)


async def test_a_list_that_nobody_can_read_is_told_and_the_next_one_counts(tmp_path: Path) -> None:
    """OpenSSL takes one whose extensions make no sense; until it is mended the old list holds."""
    odd = x509.UnrecognizedExtension(ExtensionOID.ISSUING_DISTRIBUTION_POINT, UNNAMEABLE)
    async with standing(tmp_path, with_lists=True) as scene:
        bad = scene.ours.client_file("bad")
        async with scene.connected(bad) as (reader, writer):
            with capture_logs() as told:
                lists = scene.ours.revocations(bad, odd=odd), scene.partner.revocations()
                scene.revoked.write_bytes(b"".join(lists))
                async with asyncio.timeout(10 * ENDS_S):
                    while not told:  # noqa: ASYNC110 - the listener's own watch
                        await asyncio.sleep(0.02)
            assert "can't be used" in told[0]["event"]
            writer.write(GET)
            assert (await read_answer(reader)).body == b"served"
            scene.revoke(bad)
            said = time.monotonic()
            assert await end_of(reader) - said < ENDS_S


async def test_open_connections_end_with_the_certificate(tmp_path: Path) -> None:
    """When its time is over, though nothing has changed."""
    async with standing(tmp_path) as scene:
        brief = scene.ours.client_file("brief", valid_s=2.5)
        begun = time.monotonic()
        async with scene.connected(brief) as (stream, writer):
            writer.write(STREAM)
            assert b"more" in await stream.readuntil(b"more")
            took = await end_of(stream) - begun
        assert 1 < took < 2.5 + ENDS_S


async def test_open_connections_end_with_their_authority(tmp_path: Path) -> None:
    """Whoever takes an authority out of the files wants its clients out."""
    async with standing(tmp_path) as scene:
        theirs = scene.partner.client_file("theirs")
        async with scene.connected(theirs) as (reader, writer):
            writer.write(GET)
            assert (await read_answer(reader)).body == b"served"
            scene.trust(scene.ours)
            said = time.monotonic()
            assert await end_of(reader) - said < ENDS_S


async def test_issuers_are_those_of_the_verified_chain(tmp_path: Path) -> None:
    """By key each of them; by subject those alone that settings name.

    A partner who certifies an authority of our name has not become ours.
    """
    async with standing(tmp_path) as scene:
        below = Authority(tmp_path, "below", above=scene.ours)
        forger = Authority(tmp_path / "forged", "ours", above=scene.partner)
        ours = await scene.ask(scene.ours.client_file("robot"))
        deeper = await scene.ask(below.client_file("robot"))
        forged = await scene.ask(forger.client_file("robot"))
    assert ours.issuers == {"CN=ours", scene.ours.key_print}
    assert deeper.issuers == {"CN=ours", scene.ours.key_print, below.key_print}
    assert forged.issuers == {"CN=partner", scene.partner.key_print, forger.key_print}
    assert ours.subject == deeper.subject == forged.subject == "CN=robot"


async def test_a_subject_of_two_authorities_tells_neither(tmp_path: Path) -> None:
    """Both are in the files, and whose word counts would be anybody's guess: their keys tell."""
    async with standing(tmp_path) as scene:
        twin = Authority(tmp_path / "forged", "ours")
        scene.trust(scene.ours, twin)
        await asyncio.sleep(1.1)  # when files are looked at again
        for authority in (scene.ours, twin):
            shown = await scene.ask(authority.client_file("robot"))
            assert shown.issuers == {authority.key_print}


async def test_a_session_that_is_taken_up_again_is_known(tmp_path: Path) -> None:
    """TLS 1.2 does so without showing or verifying anything anew; 1.3 gets nothing for it."""
    async with standing(tmp_path, with_lists=True) as scene:
        robot = scene.ours.client_file("robot")
        context = scene.tls(robot)
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def again(session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool | None]:
            place = ("127.0.0.1", scene.listener.port)
            with (
                socket.create_connection(place) as plain,
                context.wrap_socket(
                    plain, server_hostname="localhost", session=session
                ) as connection,
            ):
                connection.sendall(GET)
                received = b""
                while not received.endswith(b"served"):
                    received += connection.recv(65_536)
                told = connection.session, connection.session_reused
                connection.unwrap()  # a session is worth taking up if it has ended well
                return told

        session, _ = await asyncio.to_thread(again, None)
        _, reused = await asyncio.to_thread(again, session)
        assert reused
        first, second = scene.shown
        assert first == second
        assert first is not None
        assert "CN=ours" in first.issuers
        scene.revoke(robot)
        await asyncio.sleep(1.1)  # when files are looked at again
        with pytest.raises(OSError, match=r"CERTIFICATE|certificate|EOF|reset"):
            await asyncio.to_thread(again, session)
