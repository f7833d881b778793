"""Going out through a proxy: what it is asked, what it is not, and what happens when it refuses."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NoReturn

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from linarite.controls.egress import EgressDialer, EgressPolicy, HttpProxy
from linarite.controls.egress.options import Egress
from linarite.domain.errors import EgressRefused, SetupError
from tests.authority import Authority
from tests.cli.terminal import linarite
from tests.connect_proxy import ConnectProxy, proxying
from tests.controls.egress.test_dialer import greeter, hear
from tests.fake_upstream import FakeUpstream, serving
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

UPSTREAM = "upstream.test"
"""a name that no resolver knows: only the proxy can reach it"""


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops: they connect sockets and end TLS each in their own way."""
    return "asyncio", {"use_uvloop": request.param}


async def nobody(host: str, port: int) -> NoReturn:
    """A resolver that must not be asked."""
    pytest.fail(f"{host}:{port} was resolved")


def dialer_through(proxy: ConnectProxy, *named: str, **more: str) -> EgressDialer:
    """A dialer that may reach these hosts, through this proxy."""
    options = msgspec.convert({"proxy": f"http://127.0.0.1:{proxy.port}", **more}, Egress)
    policy = EgressPolicy(named_hosts=frozenset(named), proxy=HttpProxy(options))
    return EgressDialer(policy, resolve=nobody)


async def test_the_name_goes_to_the_proxy_and_tls_to_the_host(tmp_path: Path) -> None:
    """The name is resolved by the proxy alone; the certificate is checked for the name."""
    authority, stranger = Authority(tmp_path, "ours"), Authority(tmp_path, "other")
    async with (
        proxying(ConnectProxy()) as proxy,
        greeter() as (plain, _),
        greeter(authority.server_context(UPSTREAM)) as (tls, _),
    ):
        dialer = dialer_through(proxy, UPSTREAM, "other.test")
        assert await hear(dialer, UPSTREAM, plain) == b"hello"
        assert await hear(dialer, UPSTREAM.upper(), tls, authority.file) == b"hello"
        assert proxy.asked == [f"{UPSTREAM}:{plain}", f"{UPSTREAM}:{tls}"]
        assert proxy.authorizations == ["", ""]
        for host, trusted in (("other.test", authority), (UPSTREAM, stranger)):
            with pytest.raises(ssl.SSLCertVerificationError):
                await hear(dialer, host, tls, trusted.file)


async def test_credentials_are_shown_to_the_proxy(tmp_path: Path) -> None:
    """From the setting, or from a file that is read at each connection."""
    file = tmp_path / "credentials"
    async with proxying(ConnectProxy()) as proxy, greeter() as (port, _):
        await hear(dialer_through(proxy, UPSTREAM, proxy_credentials="me:a:b"), UPSTREAM, port)
        file.write_text("me:old\n")
        dialer = dialer_through(proxy, UPSTREAM, proxy_credentials_file=str(file))
        await hear(dialer, UPSTREAM, port)
        file.write_text("me:new\n")
        await hear(dialer, UPSTREAM, port)
        shown = [base64.b64decode(each.removeprefix("Basic ")) for each in proxy.authorizations]
        assert shown == [b"me:a:b", b"me:old", b"me:new"]
        file.unlink()
        with capture_logs(), pytest.raises(OSError, match=r"egress\.proxy_credentials_file"):
            await hear(dialer, UPSTREAM, port)


async def test_this_machine_and_named_exceptions_need_no_proxy() -> None:
    """Loopback is here, not where the proxy is; `egress.no_proxy` names the rest."""
    async with proxying(ConnectProxy()) as proxy, greeter() as (port, _):
        assert await hear(dialer_through(proxy, "127.0.0.1"), "127.0.0.1", port) == b"hello"
        here = EgressPolicy(
            named_hosts=frozenset(("localhost", "near.test", "a.near.example")),
            proxy=HttpProxy(
                Egress(
                    proxy=f"http://127.0.0.1:{proxy.port}",
                    no_proxy=["near.test", "*.near.example"],
                )
            ),
        )
        dialer = EgressDialer(here, resolve=loopback)
        for host in ("localhost", "near.test", "A.near.example"):
            assert await hear(dialer, host, port) == b"hello"
        assert proxy.asked == []


async def loopback(host: str, port: int) -> list[IPv4Address | IPv6Address]:
    """Every name is this machine."""
    del host, port
    return [IPv4Address("127.0.0.1")]


@pytest.mark.parametrize(
    "host", ["other.test", "127.0.0.2", "169.254.169.254", "fd00:ec2::254", "8.8.8.8"]
)
async def test_a_proxy_opens_nothing_that_rules_forbid(host: str) -> None:
    """Hosts that are not named, never-allowed addresses even if they are: no proxy hears of it."""
    async with proxying(ConnectProxy()) as proxy:
        named = [host] if host.startswith(("169", "fd00")) else [UPSTREAM]
        dialer = dialer_through(proxy, *named)
        with capture_logs(), pytest.raises(EgressRefused):
            await hear(dialer, host, 443)
        assert proxy.asked == []
        assert dialer.refused_count.total() == 1


async def test_the_proxy_itself_is_no_target() -> None:
    """That settings name it as the proxy lets nobody call it."""
    async with proxying(ConnectProxy()) as proxy:
        with capture_logs(), pytest.raises(EgressRefused):
            await hear(dialer_through(proxy, UPSTREAM), "127.0.0.1", proxy.port)
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407.*egress.proxy_credentials"),
        (b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno", "403"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "more than an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not as an HTTP proxy"),
        (b"HTTP/1.1 200", "no whole answer"),
        (b"", "no whole answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, "no whole answer"),
    ],
)
async def test_what_the_proxy_does_instead_is_told(answer: bytes, said: str) -> None:
    """As an OSError, which callers take for a host that can't be reached; it is logged too."""
    async with proxying(ConnectProxy(answer=answer)) as proxy:
        with capture_logs() as logs, pytest.raises(OSError, match=said):
            await hear(dialer_through(proxy, UPSTREAM), UPSTREAM, 443)
        assert logs[0]["event"] == "no way through the proxy"


async def test_a_proxy_that_is_silent_costs_no_more_than_another_host() -> None:
    """Connection, proxy and TLS share one deadline."""
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    proxy = HttpProxy(Egress(proxy=f"http://127.0.0.1:{port}"))
    policy = EgressPolicy(named_hosts=frozenset((UPSTREAM,)), proxy=proxy, connect_s=0.2)
    with pytest.raises(TimeoutError):
        await hear(EgressDialer(policy), UPSTREAM, 443)
    await left.wait()  # the socket was closed
    server.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Egress(proxy="proxy.test:3128"), "egress.proxy: "),
        (Egress(proxy="https://proxy.test"), "http://proxy"),
        (Egress(proxy="http://proxy.test/x"), "http://proxy"),
        (Egress(proxy="http://me:pw@proxy.test"), "egress.proxy_credentials"),
        (Egress(proxy="http://proxy.test", no_proxy=["a b"]), "egress.no_proxy: 'a b'"),
        (Egress(proxy="http://proxy.test", proxy_credentials="name"), "NAME:PASSWORD"),
        (Egress(proxy="http://proxy.test", proxy_credentials_file="/absent"), "can't be read"),
        (
            Egress(proxy="http://p.test", proxy_credentials="a:b", proxy_credentials_file="/x"),
            "set one",
        ),
    ],
)
def test_what_cannot_work_is_told_at_start(options: Egress, said: str) -> None:
    """The message names the setting."""
    with pytest.raises(SetupError) as refused:
        HttpProxy(options)
    assert said in refused.value.message


def test_credentials_are_shown_to_nobody(tmp_path: Path) -> None:
    """Neither by `linarite settings` nor in a text of the settings."""
    assert "CANARY" not in repr(Egress(proxy="http://p.test", proxy_credentials="me:CANARY"))
    (tmp_path / "linarite.toml").write_text('[egress]\nproxy_credentials = "env:PROXY"\n')
    done = linarite(tmp_path, "settings", "--json", PROXY="me:CANARY")
    rows = {row["key"]: row["value"] for row in json.loads(done.stdout)}
    assert rows["egress.proxy_credentials"] == "(hidden)"
    assert "CANARY" not in done.stdout + linarite(tmp_path, "settings", PROXY="me:CANARY").stdout


async def test_an_upstream_is_reached_through_the_proxy(tmp_path: Path) -> None:
    """A server whose only way out is the proxy answers, and no log line has the credentials."""
    async with proxying(ConnectProxy()) as proxy, serving(FakeUpstream()) as base_url:
        address = base_url.replace("127.0.0.1", UPSTREAM)
        settings = (
            f'[egress]\nproxy = "http://127.0.0.1:{proxy.port}"\nproxy_credentials = "me:CANARY"\n'
            '[[deployments]]\nname = "gpt-4o"\nmodel = "there"\n'
            f'[instances.there]\nengine = "upstream"\noptions.base_url = "{address}"\n'
            "options.retries = 0\n"
        )
        starting = asyncio.to_thread(start_server, tmp_path, settings)
        with stopped(await starting) as server:
            url = f"{server.endpoint}/openai/deployments/gpt-4o/chat/completions"
            async with httpx.AsyncClient(
                params={"api-version": "2024-10-21"}, headers={"api-key": server.key}
            ) as client:
                body = {"messages": [{"role": "user", "content": "Hi"}]}
                answer = await client.post(url, json=body)
                assert answer.status_code == 200, answer.text
                assert set(proxy.asked) == {address.split("/")[2]}
            assert "CANARY" not in server.said
