"""Names over real sockets: with a resolver's eyes, and with an attacker's bytes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import dns.asyncquery
import dns.asyncresolver
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.resolver
import pytest

from linarite.domain.errors import SetupError
from linarite.privatelink.names import responder as responder_module
from linarite.privatelink.names.messages import respond
from linarite.privatelink.names.rates import AnswerRates
from linarite.privatelink.names.responder import Responder
from tests.controlplane.private_links import ADDRESSES, ZONES, made
from tests.privatelink.names.world import (
    DOMAIN,
    NAME,
    PRIVATE_NAME,
    PUBLIC_ADDRESS,
    connected,
    inside,
    linked_zone,
    outside,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.privatelink.names.views import PublicView

pytestmark = pytest.mark.anyio

HOST = "127.0.0.1"
WAIT_S = 10.0


@pytest.fixture(params=[True, False], ids=["uvloop", "asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both event loops."""
    return "asyncio", {"use_uvloop": request.param}


@asynccontextmanager
async def answering(view: PublicView) -> AsyncIterator[Responder]:
    """A responder on a port of its own."""
    running = Responder(view, HOST, 0, "networks.apps.dns")
    await running.open()
    try:
        yield running
    finally:
        await running.close()


def resolver(port: int, *, tcp: bool = False) -> Any:  # noqa: ANN401 - dnspython's call
    """A resolver that asks there alone."""
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers = [HOST]
    made.port = port

    async def resolve(name: str, kind: str = "A") -> list[str]:
        answer = await made.resolve(name, kind, tcp=tcp, lifetime=WAIT_S)
        return [each.to_text() for each in answer]

    return resolve


async def query(port: int, name: str, kind: str = "A", **more: Any) -> dns.message.Message:  # noqa: ANN401 - passed on
    """One question by UDP."""
    return await dns.asyncquery.udp(
        dns.message.make_query(name, kind, **more), HOST, port=port, timeout=WAIT_S
    )


@pytest.mark.parametrize("tcp", [False, True])
async def test_a_resolver_finds_the_account(tcp: bool) -> None:
    """The endpoint inside, the public side outside."""
    rig = await connected()
    async with answering(inside(rig)) as near, answering(outside(rig)) as far:
        assert await resolver(near.port, tcp=tcp)(NAME) == [ADDRESSES[0]]
        assert await resolver(near.port, tcp=tcp)(PRIVATE_NAME) == [ADDRESSES[0]]
        assert await resolver(far.port, tcp=tcp)(NAME) == [PUBLIC_ADDRESS]
        with pytest.raises(dns.resolver.NXDOMAIN):
            await resolver(near.port, tcp=tcp)(f"nobody.openai.{DOMAIN}")
        with pytest.raises(dns.resolver.NoNameservers):
            await resolver(near.port, tcp=tcp)("example.com")


async def test_what_an_answer_says_of_itself() -> None:
    """Authoritative, never recursive, with how long an absence may be remembered."""
    rig = await connected()
    async with answering(inside(rig)) as running:
        answer = await query(running.port, NAME.upper().replace("A", "a"))
        assert answer.flags & dns.flags.AA
        assert not answer.flags & dns.flags.RA
        assert [each.ttl for each in answer.answer] == [10, 10]
        absent = await query(running.port, f"nobody.openai.{DOMAIN}")
        assert absent.rcode() == dns.rcode.NXDOMAIN
        (soa,) = absent.authority
        assert soa.to_text().endswith(" 10")
        empty = await query(running.port, NAME, "TXT")
        assert (empty.rcode(), len(empty.answer)) == (dns.rcode.NOERROR, 1)
        foreign = await query(running.port, "example.com")
        assert (foreign.rcode(), foreign.answer) == (dns.rcode.REFUSED, [])
        assert not foreign.flags & dns.flags.AA


async def test_what_is_no_plain_question() -> None:
    """Zone transfers, everything at once, other classes, other versions, other operations."""
    rig = await connected()
    async with answering(inside(rig)) as running:
        for kind in ("AXFR", "IXFR", "ANY"):
            assert (await query(running.port, DOMAIN, kind)).rcode() == dns.rcode.REFUSED
        chaos = await query(running.port, "version.bind", "TXT", rdclass="CH")
        assert chaos.rcode() == dns.rcode.REFUSED
        newer = await query(running.port, NAME, use_edns=5)
        assert newer.rcode() == dns.rcode.BADVERS
        for opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS):
            wire = bytearray(dns.message.make_query(NAME, "A").to_wire())
            wire[2] |= opcode << 3
            reply = respond(bytes(wire), inside(rig).zones(), udp=True)
            assert reply is not None
            assert reply[3] & 0x0F == dns.rcode.NOTIMP


async def test_big_answers_are_cut_and_asked_for_by_tcp() -> None:
    """At 512 bytes without EDNS, at 1,232 with it; a resolver gets all of it."""
    rig = await connected()
    zone = f"{ZONES}/corp.example"
    await linked_zone(rig, zone)
    records = {"aRecords": [{"ipv4Address": f"10.0.0.{number}"} for number in range(150)]}
    await made(rig, f"{zone}/A/many", {"properties": records})
    async with answering(inside(rig)) as running:
        for edns, most in ((False, 512), (True, 1232)):
            question = dns.message.make_query("many.corp.example", "A", use_edns=edns)
            if edns:
                question.use_edns(payload=4096)
            wire = respond(question.to_wire(), inside(rig).zones(), udp=True)
            assert wire is not None
            assert len(wire) <= most
            assert dns.message.from_wire(wire).flags & dns.flags.TC
        assert len(await resolver(running.port)("many.corp.example")) == 150


async def test_noise_is_borne() -> None:
    """Whatever bytes come, the next question is answered, and answers are never answered."""
    rig = await connected()
    seeded = random.Random(7)
    zones = inside(rig).zones()
    question = dns.message.make_query(NAME, "A", use_edns=True).to_wire()
    for _ in range(3000):
        noise = bytearray(question)
        for _ in range(seeded.randrange(1, 8)):
            noise[seeded.randrange(len(noise))] = seeded.randrange(256)
        reply = respond(bytes(noise[: seeded.randrange(len(noise) + 1)]), zones, udp=True)
        assert reply is None or (reply[:2] == noise[:2] and len(reply) <= 1232)
    assert (
        respond(bytes((*question[:2], question[2] | 0x80, *question[3:])), zones, udp=True) is None
    )
    assert respond(os.urandom(11), zones, udp=True) is None
    async with answering(inside(rig)) as running:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(200):
                sender.sendto(os.urandom(seeded.randrange(600)), (HOST, running.port))
        assert await resolver(running.port)(NAME) == [ADDRESSES[0]]


async def test_the_rate_of_answers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it, UDP says at most: ask by TCP; there everything is answered."""
    rig = await connected()
    monkeypatch.setattr(responder_module, "AnswerRates", lambda: AnswerRates(0.001, 3))
    async with answering(inside(rig)) as running:
        question = dns.message.make_query(NAME, "A").to_wire()
        got: list[bytes] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            for _ in range(20):
                sender.sendto(question, (HOST, running.port))
            await asyncio.sleep(0.3)
            while len(got) < 20:
                try:
                    got.append(sender.recv(2000))
                except BlockingIOError:
                    break
        full = [each for each in got if len(each) > 12]
        assert len(full) == 3
        assert all(each[2] & 0x02 for each in got if len(each) == 12)
        assert len(got) - len(full) <= 9
        assert await resolver(running.port, tcp=True)(NAME) == [ADDRESSES[0]]


async def test_tcp_is_bounded() -> None:
    """So many connections a client, and none for a message beyond reason."""
    rig = await connected()
    async with answering(inside(rig)) as running:
        open_ones = [await asyncio.open_connection(HOST, running.port) for _ in range(12)]
        await asyncio.sleep(0.1)
        ended = [reader.at_eof() for reader, _ in open_ones]
        assert ended.count(True) == 2
        open_ones[0][1].write(b"\xff\xff" + b"x" * 100)
        assert await asyncio.wait_for(open_ones[0][0].read(), WAIT_S) == b""
        for _, writer in open_ones:
            writer.close()
        await asyncio.sleep(0.1)
        assert await resolver(running.port, tcp=True)(NAME) == [ADDRESSES[0]]


async def test_silent_connections_keep_nobody_out() -> None:
    """As many as there may be, from ten addresses: who has a question is answered at once.

    They go one by one to make room, and all of them when a first question is due.
    """
    rig = await connected()
    async with answering(inside(rig)) as running:
        began = time.monotonic()
        silent = [
            await asyncio.open_connection(HOST, running.port, local_addr=(f"127.0.0.{10 + n}", 0))
            for n in range(10)
            for _ in range(10)
        ]
        silent[-1][1].write(b"\x00")  # nor does half a question count
        for _ in range(3):
            assert await resolver(running.port, tcp=True)(NAME) == [ADDRESSES[0]]
        assert time.monotonic() - began < responder_module.FIRST_S
        gone = sum(reader.at_eof() for reader, _ in silent)
        assert 1 <= gone <= 3
        for reader, writer in silent:
            with contextlib.suppress(ConnectionError):
                assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()
        assert time.monotonic() - began < responder_module.FIRST_S + WAIT_S / 2


async def test_who_is_outside_the_network_is_told_nothing() -> None:
    """Whose packets reach the address all the same: refused in a head alone, by TCP not heard."""
    rig = await connected()
    running = Responder(inside(rig), HOST, 0, "networks.apps.dns", ["127.0.0.2/32"])
    await running.open()
    try:
        refused = await query(running.port, NAME)
        assert (refused.rcode(), refused.answer) == (dns.rcode.REFUSED, [])
        reader, writer = await asyncio.open_connection(HOST, running.port)
        assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()
        near = await asyncio.open_connection(HOST, running.port, local_addr=("127.0.0.2", 0))
        question = dns.message.make_query(NAME, "A").to_wire()
        near[1].write(len(question).to_bytes(2) + question)
        size = int.from_bytes(await asyncio.wait_for(near[0].readexactly(2), WAIT_S))
        assert dns.message.from_wire(await near[0].readexactly(size)).answer
        near[1].close()
    finally:
        await running.close()


async def test_an_address_that_is_taken_names_its_setting() -> None:
    """The error says which one to change."""
    rig = await connected()
    async with answering(inside(rig)) as running:
        second = Responder(inside(rig), HOST, running.port, "networks.apps.dns")
        with pytest.raises(SetupError, match=r"networks\.apps\.dns"):
            await second.open()


async def test_dig_agrees() -> None:
    """What administrators look with."""
    dig = shutil.which("dig")
    if dig is None:
        pytest.skip("dig is not installed: `make test` installs it on Debian")
    rig = await connected()
    async with answering(inside(rig)) as running:
        process = await asyncio.create_subprocess_exec(
            *(dig, f"@{HOST}", "-p", str(running.port), "+short", NAME),
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert out.decode().split() == [f"{PRIVATE_NAME}.", ADDRESSES[0]]


def test_rates_forget_the_oldest() -> None:
    """A /24 shares a bucket; it fills again with time; memory is bounded."""
    now = 0.0
    rates = AnswerRates(2, 2, clock=lambda: now)
    assert [rates.allows(f"192.0.2.{number}") for number in (1, 2, 3)] == [True, True, False]
    assert rates.allows("198.51.100.1")
    assert rates.allows("2001:db8::1%eth0")
    now = 0.5
    assert [rates.allows("192.0.2.9"), rates.allows("192.0.2.9")] == [True, False]
    for number in range(5000):
        rates.allows(f"10.{number >> 8}.{number & 255}.1")
    assert len(rates._left) <= 4096
