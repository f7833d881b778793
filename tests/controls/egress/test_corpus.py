"""THE BYPASS CORPUS: none of the known ways around rules like ours leads anywhere.

Everything goes against the real dialer with a resolver that says what an attacker's name server
would, and a trap that listens on this machine, in both families, on all addresses.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

import pytest

from linarite.controls.authenticate.options import IssuerSettings
from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts, dialer
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.target import target_of
from linarite.identity.issuer_documents import IssuerDocuments
from tests.controls.egress.corpus import ANSWERS, HOSTS, URLS
from tests.controls.egress.test_dialer import Greeting

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Sequence

pytestmark = pytest.mark.anyio

POLICY = EgressPolicy(
    allowed_hosts=("allowed.example", "*.allowed.example"),
    purposes={"upstream": PurposeHosts(named_hosts=frozenset({"upstream.example"}))},
)
ERRAND = Errand("upstream", "/some/account")
PUBLIC = "93.184.215.14"


class Trap:
    """What listens where nobody may come."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.visits = 0


@asynccontextmanager
async def trap() -> AsyncGenerator[Trap]:
    """A listener on every address of this machine; it must stay alone."""
    set_up = Trap(0)

    async def caught(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        set_up.visits += 1
        writer.close()

    any_v4 = "0.0.0.0"  # noqa: S104 - a trap must be everywhere
    async with await asyncio.start_server(caught, any_v4, 0) as server:
        set_up.port = server.sockets[0].getsockname()[1]
        async with await asyncio.start_server(caught, "::", set_up.port):
            yield set_up
            await asyncio.sleep(0)
            assert set_up.visits == 0, "somebody came"


class Answers:
    """A name server that gives one answer after another, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)

    async def __call__(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        """The next answer, whatever is asked."""
        del host, port
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [ip_address(address) for address in answer]


async def dial_url(out: EgressDialer, url: str) -> None:
    """Read a URL, and go there."""
    target = target_of(url)
    await out.dial(target.host, target.port, errand=ERRAND, tls=False, factory=Greeting)


def ids(rows: Sequence[tuple[object, str]]) -> list[str]:
    """Names of tests: the trick, and which of those alike."""
    return [f"{number}: {why}" for number, (_, why) in enumerate(rows)]


async def be_caught(out: EgressDialer, host: str) -> None:
    """Go to a trap."""
    async with trap() as set_up:
        met = await out.dial(host, set_up.port, errand=ERRAND, tls=False, factory=Greeting)
        await met.ended


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.88.0.9", "upstream.example"])
async def test_the_trap_catches(host: str) -> None:
    """Who is let through is caught, in either family: else the rows would prove nothing."""
    out = EgressDialer(EgressPolicy(named_hosts=frozenset({host})), resolve=Answers(["127.0.0.1"]))
    with pytest.raises(AssertionError, match="somebody came"):
        await be_caught(out, host)


@pytest.mark.parametrize(("host", "why"), HOSTS, ids=ids(HOSTS))
async def test_no_spelling_of_a_host_leads_anywhere(host: str, why: str) -> None:
    """Not by a server that has a list and an upstream, with a resolver that knows every name."""
    async with trap() as set_up:
        out = EgressDialer(POLICY, resolve=Answers(["127.0.0.1"]))
        with pytest.raises(EgressRefused):
            await out.dial(host, set_up.port, errand=ERRAND, tls=False, factory=Greeting)
        assert out.refused_count.total() == 1, why


@pytest.mark.parametrize(("host", "why"), HOSTS, ids=ids(HOSTS))
async def test_no_spelling_passes_where_everything_of_a_suffix_is_listed(
    host: str, why: str
) -> None:
    """Nor by a list of suffixes as wide as lists can be."""
    wide = ("*.example", "*.test", "*.localhost", "*.local", "*.internal", "*.localdomain")
    async with trap() as set_up:
        out = EgressDialer(EgressPolicy(allowed_hosts=wide), resolve=Answers(["127.0.0.1"]))
        with pytest.raises(EgressRefused):
            await out.dial(host, set_up.port, errand=ERRAND, tls=False, factory=Greeting)
        assert out.refused_count.total() == 1, why


@pytest.mark.parametrize(("url", "why"), URLS, ids=ids(URLS))
async def test_no_url_leads_anywhere(url: str, why: str) -> None:
    """It is refused where it is read, or its host is."""
    async with trap() as set_up:
        out = EgressDialer(POLICY, resolve=Answers(["127.0.0.1"]))
        with pytest.raises(EgressRefused) as refused:
            await dial_url(out, url.replace("{port}", str(set_up.port)))
        assert refused.value.message, why


@pytest.mark.parametrize(("answer", "why"), ANSWERS, ids=ids(ANSWERS))
async def test_no_answer_of_a_name_server_leads_anywhere(answer: tuple[str, ...], why: str) -> None:
    """One address that is not public refuses the name, whatever comes with it."""
    async with trap() as set_up:
        out = EgressDialer(POLICY, resolve=Answers(answer))
        with pytest.raises((EgressRefused, OSError)) as refused:
            await out.dial(
                "a.allowed.example", set_up.port, errand=ERRAND, tls=False, factory=Greeting
            )
        assert isinstance(refused.value, EgressRefused) or not answer, why


async def test_an_answer_that_changes_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when it is checked, this machine ever after."""
    tried: list[str] = []

    async def connecting(addresses: list[IPv4Address | IPv6Address], port: int) -> socket.socket:
        del port
        tried.extend(map(str, addresses))
        raise ConnectionRefusedError

    monkeypatch.setattr(dialer, "first_connected", connecting)
    async with trap() as set_up:
        out = EgressDialer(POLICY, resolve=Answers([PUBLIC], ["127.0.0.1"]))
        with pytest.raises(ConnectionRefusedError):
            await out.dial(
                "allowed.example", set_up.port, errand=ERRAND, tls=False, factory=Greeting
            )
        with pytest.raises(EgressRefused):  # the next connection asks anew, and checks anew
            await out.dial(
                "allowed.example", set_up.port, errand=ERRAND, tls=False, factory=Greeting
            )
    assert tried == [PUBLIC]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_issuers_documents_are_not_read_from_where_they_redirect(status: int) -> None:
    """The trap is where the redirect leads; it stays alone though its host is named too."""

    async def redirecting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        there = f"http://127.0.0.1:{set_up.port}/keys"
        writer.write(
            f"HTTP/1.1 {status} Moved\r\nlocation: {there}\r\ncontent-length: 0\r\n\r\n".encode()
        )
        writer.close()

    async with trap() as set_up, await asyncio.start_server(redirecting, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        settings = IssuerSettings(
            issuer="https://issuer.example", key_set_url=f"http://127.0.0.1:{port}/keys"
        )
        out = EgressDialer(EgressPolicy(named_hosts=frozenset({"127.0.0.1"})))
        with pytest.raises(OSError, match=f"status {status}"):
            await IssuerDocuments(settings, out).key_set()
