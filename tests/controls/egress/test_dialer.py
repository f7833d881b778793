"""The dialer on real sockets: what it lets through, what it refuses, how it connects."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import ExitStack, asynccontextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import pytest
from structlog.testing import capture_logs

from linarite.controls.egress import EgressDialer, EgressPolicy
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused, SetupError
from tests.authority import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

pytestmark = pytest.mark.anyio

ERRAND = Errand("upstream")
CLOUD = "93.184.215.14"
"""a public address that no test connects to"""


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: they connect sockets and end TLS each in their own way."""
    return "asyncio", {"use_uvloop": request.param}


class Greeting(asyncio.Protocol):
    """Keeps what the server says."""

    def __init__(self) -> None:
        self.heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for a look at its socket."""
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it is over."""
        del exc
        self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Keep it and hang up."""
        if not self.heard.done():
            self.heard.set_result(data)
        if self.transport is not None:
            self.transport.close()


@asynccontextmanager
async def greeter(context: ssl.SSLContext | None = None) -> AsyncGenerator[tuple[int, list[int]]]:
    """A server on 127.0.0.1 that greets; its port, and a list that grows with each connection."""
    greeted: list[int] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeted.append(1)
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], greeted
    finally:
        server.close()
        await server.wait_closed()


class Names:
    """A resolver that answers from a table and counts."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """Answer the same for every name."""
        del host, port
        self.asked += 1
        return [ip_address(address) for address in self.addresses]


async def hear(
    dialer: EgressDialer,
    host: str,
    port: int,
    ca_file: Path | None = None,
    *,
    errand: Errand = ERRAND,
) -> bytes:
    """Connect and return the greeting."""
    protocol = await dialer.dial(
        host,
        port,
        errand=errand,
        tls=ca_file is not None,
        factory=Greeting,
        ca_file=str(ca_file) if ca_file else None,
    )
    assert protocol.transport is not None
    connected = protocol.transport.get_extra_info("socket")
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    return await protocol.heard


async def test_a_named_upstream_may_be_private() -> None:
    """A host that settings name is reached on loopback, by address and by name."""
    policy = EgressPolicy(named_hosts=frozenset({"127.0.0.1", "LocalHost."}))
    async with greeter() as (port, _):
        for host in ("127.0.0.1", "localhost", "LOCALHOST."):
            assert await hear(EgressDialer(policy), host, port) == b"hello"


async def test_nothing_is_reachable_by_default() -> None:
    """Without settings every host is refused, logged and counted, and nothing is resolved."""
    names, told = Names("127.0.0.1"), []
    dialer = EgressDialer(
        EgressPolicy(), resolve=names, on_refused=lambda host, port, *_: told.append((host, port))
    )
    async with greeter() as (port, greeted):
        with capture_logs() as logs:
            for host in ("127.0.0.1", "localhost", "a.example"):
                with pytest.raises(EgressRefused, match=r"egress\.allowed_hosts"):
                    await hear(dialer, host, port)
        assert not greeted
    assert names.asked == 0
    assert dialer.refused_count == {("upstream", "allowed_hosts"): 3}
    assert told == [("127.0.0.1", port), ("localhost", port), ("a.example", port)]
    assert [entry["host"] for entry in logs] == ["127.0.0.1", "localhost", "a.example"]


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.0.0.1",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "2130706433",
        "127.1",
        "127.0.0.1.",
        "127.0.0.1",
        "127.0.0.1%00.a.example",
        "a.example@127.0.0.1",
        "127.0.0.1#.a.example",
        "127.0.0.1\\.a.example",
        "127.0.0.1/.a.example",
        "127.0.0.1:80.a.example",
        "[::1]",
        "::1",
        "::ffff:127.0.0.1",
        "[::ffff:127.0.0.1]",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::127.0.0.1",
        "2002:7f00:1::",
        "fe80::1%lo",
        "0.0.0.0",  # noqa: S104 - the address, not a place to listen
        "0",
        "::",
        "169.254.169.254",
        "fd00:ec2::254",
        "metadata.google.internal",
        "example",
        "aexample",
        "a.example.evil.test",
        "xn--.a.example\x00",
        "\u2460\u2461\u2466.0.0.1",
        "127\u30020\u30020\u30021",
        "*.a.example",
        "",
        ".",
        ".a.example.",
        "..a.example",
    ],
)
async def test_ways_around_the_list(host: str) -> None:
    """No spelling of this machine, of a metadata service or of a like name passes the list."""
    policy = EgressPolicy(allowed_hosts=("*.example", "a.test"))
    dialer = EgressDialer(policy, resolve=Names("127.0.0.1"))
    with pytest.raises(EgressRefused):
        await dialer.dial(host, 80, errand=ERRAND, tls=False, factory=Greeting)


@pytest.mark.parametrize(
    "addresses",
    [
        ("127.0.0.1",),
        (CLOUD, "127.0.0.1"),
        ("127.0.0.1", CLOUD),
        ("::1", CLOUD),
        ("::ffff:127.0.0.1",),
        ("64:ff9b::7f00:1",),
        ("10.0.0.1",),
        ("100.64.0.1",),
        ("169.254.169.254",),
        ("fe80::1",),
    ],
)
async def test_allowed_names_must_be_public(addresses: tuple[str, ...]) -> None:
    """One address that isn't public, whichever, refuses the name: nothing is connected to."""
    policy = EgressPolicy(allowed_hosts=("a.example",))
    dialer = EgressDialer(policy, resolve=Names(*addresses))
    async with greeter() as (port, greeted):
        with pytest.raises(EgressRefused, match=r"a\.example"):
            await hear(dialer, "a.example", port)
        assert not greeted


@pytest.mark.parametrize(
    "address",
    ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "fe80::1", "0.0.0.0"],  # noqa: S104 - the address, not a place to listen
)
async def test_metadata_is_refused_even_to_named_hosts(address: str) -> None:
    """Naming an upstream opens private networks, but never a metadata service's address."""
    policy = EgressPolicy(named_hosts=frozenset({"a.example", address}))
    for host in ("a.example", address):
        with pytest.raises(EgressRefused, match="No setting allows"):
            await hear(EgressDialer(policy, resolve=Names(address)), host, 80)


async def test_wildcards_mean_names_below() -> None:
    """`*.suffix` allows names below the suffix, at any depth, and the message says so otherwise."""
    dialer = EgressDialer(EgressPolicy(allowed_hosts=("*.Example.",)), resolve=Names("127.0.0.1"))
    for host in ("a.example", "b.a.example", "A.EXAMPLE."):
        with pytest.raises(EgressRefused, match="loopback"):  # the name passed, its address not
            await dialer.dial(host, 80, errand=ERRAND, tls=False, factory=Greeting)


@pytest.mark.parametrize("pattern", ["*", "*.*.example", "a.*", "http://a.example", "0x7f.1", ""])
async def test_patterns_that_cannot_work(pattern: str) -> None:
    """A pattern that would match nothing, or everything, is a set-up error naming its setting."""
    with pytest.raises(SetupError, match=r"egress\.allowed_hosts"):
        EgressDialer(EgressPolicy(allowed_hosts=(pattern,)))


async def test_names_are_resolved_once() -> None:
    """The address that was checked is the one connected to: there is no second look-up."""
    names = Names("127.0.0.1")
    dialer = EgressDialer(EgressPolicy(named_hosts=frozenset({"a.example"})), resolve=names)
    async with greeter() as (port, _):
        assert await hear(dialer, "a.example", port) == b"hello"
    assert names.asked == 1


async def test_dead_addresses_are_passed_over() -> None:
    """When some addresses of a name refuse, another is used; when all do, it is an OSError."""
    policy = EgressPolicy(named_hosts=frozenset({"a.example"}))
    async with greeter() as (port, _):
        alive = EgressDialer(policy, resolve=Names("127.0.0.9", "::1", "127.0.0.1"))
        assert await hear(alive, "a.example", port) == b"hello"
        dead = EgressDialer(policy, resolve=Names("127.0.0.9", "127.0.0.8"))
        with pytest.raises(ConnectionRefusedError):
            await hear(dead, "a.example", port)


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address where connecting neither succeeds nor fails: its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.7", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.7", port))
        yield "127.0.0.7", port
        for filler in fillers:
            filler.close()


async def test_silent_addresses_do_not_delay_the_others(silent: tuple[str, int]) -> None:
    """An address that does not answer costs its head start, not the connection."""
    address, port = silent
    policy = EgressPolicy(named_hosts=frozenset({"a.example"}), connect_s=60)

    def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", port)
    async with server:
        dialer = EgressDialer(policy, resolve=Names(address, "127.0.0.1"))
        assert await hear(dialer, "a.example", port) == b"hello"


async def test_connecting_has_a_deadline(silent: tuple[str, int]) -> None:
    """A machine that never answers is given up after `connect_s`."""
    address, port = silent
    dialer = EgressDialer(EgressPolicy(named_hosts=frozenset({address}), connect_s=0.2))
    with pytest.raises(TimeoutError):
        await hear(dialer, address, port)


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """TLS connects when the given authority vouches for that very name, else not at all."""
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    policy = EgressPolicy(named_hosts=frozenset({"up.example", "other.example", "127.0.0.1"}))
    dialer = EgressDialer(policy, resolve=Names("127.0.0.1"))
    async with greeter(ours.server_context("up.example")) as (port, _):
        assert await hear(dialer, "up.example", port, ours.file) == b"hello"
        for host, authority in [
            ("up.example", others.file),
            ("other.example", ours.file),
            ("127.0.0.1", ours.file),
        ]:
            with pytest.raises(ssl.SSLCertVerificationError):
                await hear(dialer, host, port, authority)
        with pytest.raises(ssl.SSLCertVerificationError):
            await dialer.dial("up.example", port, errand=ERRAND, tls=True, factory=Greeting)


async def test_certificates_for_addresses(tmp_path: Path) -> None:
    """An upstream named by its address needs a certificate for that address."""
    authority = Authority(tmp_path, "ours")
    dialer = EgressDialer(EgressPolicy(named_hosts=frozenset({"127.0.0.1"})))
    async with greeter(authority.server_context("127.0.0.1")) as (port, _):
        assert await hear(dialer, "127.0.0.1", port, authority.file) == b"hello"


async def test_a_changed_authority_is_read_again(tmp_path: Path) -> None:
    """Replacing the CA file needs no restart."""
    ours, others = Authority(tmp_path, "ours"), Authority(tmp_path, "others")
    dialer = EgressDialer(
        EgressPolicy(named_hosts=frozenset({"a.example"})), resolve=Names("127.0.0.1")
    )
    file = tmp_path / "ca.pem"
    async with greeter(ours.server_context("a.example")) as (port, _):
        file.write_bytes(others.file.read_bytes())
        with pytest.raises(ssl.SSLCertVerificationError):
            await hear(dialer, "a.example", port, file)
        (tmp_path / "new.pem").write_bytes(ours.file.read_bytes())
        (tmp_path / "new.pem").replace(file)
        assert await hear(dialer, "a.example", port, file) == b"hello"


async def test_old_tls_is_refused(tmp_path: Path) -> None:
    """A server that speaks nothing newer than TLS 1.1 is not talked to."""
    authority = Authority(tmp_path, "ours")
    context = authority.server_context("a.example")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    dialer = EgressDialer(
        EgressPolicy(named_hosts=frozenset({"a.example"})), resolve=Names("127.0.0.1")
    )
    async with greeter(context) as (port, greeted):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await hear(dialer, "a.example", port, authority.file)
        assert not greeted


async def test_a_unix_socket_whose_queue_is_full_holds_nobody_up(tmp_path: Path) -> None:
    """Who waits for it waits alone, until there is room or the deadline has come."""
    path = str(tmp_path / "s")
    with ExitStack() as opened:
        listener = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(path)
        listener.listen(0)
        with suppress(BlockingIOError):
            while True:
                client = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                client.setblocking(False)
                client.connect(path)
        with pytest.raises(TimeoutError):
            await EgressDialer(EgressPolicy(connect_s=0.1)).local(path)
        waiting = asyncio.create_task(EgressDialer(EgressPolicy(connect_s=5)).local(path))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        listener.accept()[0].close()
        connected = opened.enter_context(await waiting)
        assert connected.getpeername() == path
