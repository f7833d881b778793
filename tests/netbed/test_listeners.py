"""What is asked of a connection before HTTP, from hosts that have it and hosts that don't."""

from __future__ import annotations

import select
import ssl
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from linarite.cli.netbed.layout import APPLICATION, PARTNER, PUBLIC
from tests.authority import Authority
from tests.netbed.client import NO_ANSWER
from tests.netbed.management import ACCOUNTS
from tests.netbed.sides import (
    ALPHA,
    BETA,
    CONTROL_PORT,
    DATA_PORT,
    DOORS,
    FORWARDED_PORT,
    HEAD_S,
    IMPATIENT_PORT,
    MODEL,
    MUTUAL_PORT,
    PER_ADDRESS_MAX,
    PROXIED_PORT,
    ROBOT,
    subnet,
)
from tests.netbed.sockets import connected
from tests.netbed.test_network_rules import FIREWALL, refusal, rules

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from tests.netbed.client import Told
    from tests.netbed.sides import Sides

ALLOWED = "192.175.48.10"
PROXY_LINE = f"PROXY TCP4 {ALLOWED} {PARTNER.server_address} 40000 80\r\n".encode()
PATH = f"/{ALPHA}/openai/models?api-version=2024-10-21"


def request(sides: Sides, *lines: str) -> bytes:
    """A request for the account's models."""
    head = [f"GET {PATH} HTTP/1.1", f"host: {PUBLIC.server_address}"]
    head += [f"api-key: {sides.keys[ALPHA]}", "connection: close", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def answer(to: socket.socket, data: bytes, until: bytes = b"") -> bytes:
    """All that comes back until the server hangs up; nothing where it does so at once.

    No more than what ends with `until`, if that is said.
    """
    received = b""
    try:
        to.sendall(data)
        while not (until and until in received) and (piece := to.recv(65_536)):
            received += piece
    except ConnectionError:
        return received
    return received


@pytest.mark.parametrize("shown", ["a partner's", "a stranger's", "none"])
def test_a_required_certificate_is_required(sides: Sides, tmp_path: Path, shown: str) -> None:
    """The official client comes in with one of the partners' authority, and with no other."""
    issuers = {"a partner's": sides.authority, "a stranger's": Authority(tmp_path, "strangers")}
    issuer = issuers.get(shown)
    told = sides.clients["partner"].chat(
        f"https://{PARTNER.server_address}:{MUTUAL_PORT}/{ALPHA}",
        sides.keys[ALPHA],
        MODEL,
        ca_file=sides.server.ready["ca_file"],
        certificate=str(issuer.server_file("robot")) if issuer is not None else None,
    )
    if shown == "a partner's":
        assert told.status == 200, told
    else:
        assert told.status == NO_ANSWER, told
        assert any(
            word in told.error.lower() for word in ("alert", "certificate", "eof", "disconnected")
        ), told


def test_a_certificate_is_somebody(sides: Sides) -> None:
    """The one that settings map has its principal's roles, without any key; others are nobody."""

    def as_(name: str) -> Told:
        return sides.clients["partner"].chat(
            f"https://{PARTNER.server_address}:{MUTUAL_PORT}/{ALPHA}",
            "left out",
            MODEL,
            ca_file=sides.server.ready["ca_file"],
            certificate=str(sides.authority.client_file(name)),
            keyless=True,
        )

    without_role = as_(ROBOT)
    with sides.may_use(ROBOT):
        assert as_(ROBOT).status == 200
        nobody = as_("somebody")
        sides.set(networkAcls=rules(networks=(subnet(APPLICATION),)))
        kept_out = as_(ROBOT)
    assert without_role.status == 401
    assert without_role.body["error"]["code"] == "PermissionDenied"
    assert (nobody.status, nobody.body["error"]["code"]) == (401, "401"), nobody
    assert kept_out.body == refusal(DOORS["partner"], FIREWALL)


def test_listeners_carry_the_planes_that_settings_say(sides: Sides) -> None:
    """One is for applications, one for owners; the other plane is not there, and says why."""
    account = f"{ACCOUNTS}/{ALPHA}?api-version=2025-09-01"
    models = f"/{ALPHA}/openai/models?api-version=2024-10-21"
    shown = {
        account: {"authorization": f"Bearer {sides.server.ready['management_key']}"},
        models: {"api-key": sides.keys[ALPHA]},
    }
    told = {
        (port, path): sides.clients["application"].http(
            "GET", f"http://{APPLICATION.server_address}:{port}{path}", **headers
        )
        for port in (DATA_PORT, CONTROL_PORT)
        for path, headers in shown.items()
    }
    assert told[DATA_PORT, models].status == 200
    assert told[CONTROL_PORT, account].status == 200
    for port, path, listener in (
        (DATA_PORT, account, "applications"),
        (CONTROL_PORT, models, "owners"),
    ):
        answer = told[port, path]
        assert answer.status == 404, answer
        assert answer.body["error"]["innererror"]["code"] == "PlaneNotCarried"
        assert f"'{listener}' does not carry" in answer.body["error"]["innererror"]["message"]


def test_a_proxy_that_is_trusted_says_who_comes(sides: Sides) -> None:
    """By the PROXY protocol: the rules are asked about the client that it names."""
    sides.set(networkAcls=rules(ip=(ALLOWED,)))
    with connected(sides.bed, "partner", (PARTNER.server_address, PROXIED_PORT)) as proxy:
        assert answer(proxy, PROXY_LINE + request(sides)).startswith(b"HTTP/1.1 200 ")
    other = PROXY_LINE.replace(ALLOWED.encode(), b"192.175.48.20")
    with connected(sides.bed, "partner", (PARTNER.server_address, PROXIED_PORT)) as proxy:
        assert answer(proxy, other + request(sides)).startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize("line", [PROXY_LINE, b""], ids=["with a header", "without"])
def test_a_header_of_anybody_else_is_refused(sides: Sides, line: bytes) -> None:
    """The connection is closed without a word: not even who is allowed by the rules gets on."""
    sides.set(networkAcls=rules(ip=(ALLOWED,)))
    for host, address in (("public", PUBLIC), ("application", APPLICATION)):
        place = (address.server_address, PROXIED_PORT)
        with connected(sides.bed, host, place, source=address.address) as stranger:
            assert answer(stranger, line + request(sides)) == b""


@pytest.mark.parametrize("port", [8080, FORWARDED_PORT])
def test_a_proxy_header_where_none_belongs_is_no_request(sides: Sides, port: int) -> None:
    """Neither does it change anything."""
    sides.set(networkAcls=rules(ip=(ALLOWED,)))
    with connected(sides.bed, "application", (APPLICATION.server_address, port)) as stranger:
        said = answer(stranger, PROXY_LINE + request(sides), until=b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")


def test_forwarded_for_counts_from_a_trusted_proxy_alone(sides: Sides) -> None:
    """The partner's proxy is believed; the same words of the application's host are not."""
    sides.set(networkAcls=rules(ip=(ALLOWED,)))
    said = {"x-forwarded-for": ALLOWED, "api-key": sides.keys[ALPHA]}
    told = {
        host: sides.clients[host].http(
            "GET", f"http://{DOORS[host].address}:{FORWARDED_PORT}{PATH}", **said
        )
        for host in ("partner", "application")
    }
    assert told["partner"].status == 200, told
    assert told["application"].status == 403
    assert told["application"].body == refusal(DOORS["application"], FIREWALL)


def test_slow_strangers_keep_nobody_out(sides: Sides) -> None:
    """A host that begins hundreds of requests and ends none gets as many places as an address may.

    They are cut when a head is due, and meanwhile the application is served by the same listener.
    """
    place = (PUBLIC.server_address, IMPATIENT_PORT)
    endpoint = f"http://{APPLICATION.server_address}:{IMPATIENT_PORT}/{ALPHA}"
    with ExitStack() as stack:
        began = time.monotonic()
        slow = [
            stack.enter_context(connected(sides.bed, "public", place, timeout_s=HEAD_S + 5))
            for _ in range(2 * PER_ADDRESS_MAX)
        ]
        for each in slow:
            try:
                each.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ")
            except ConnectionError:
                continue
        took: list[float] = []
        while time.monotonic() - began < HEAD_S / 2:
            asked = time.monotonic()
            told = sides.clients["application"].chat(endpoint, sides.keys[ALPHA], MODEL)
            took.append(time.monotonic() - asked)
            assert told.status == 200, told
        assert took
        assert max(took) < HEAD_S, took  # none waited until they were cut
        gone, _, _ = select.select(slow, [], [], 0)
        assert len(gone) == PER_ADDRESS_MAX
        for each in slow:
            answer(each, b"")
        assert time.monotonic() - began < 2 * HEAD_S + 1


def test_tls_for_one_account_carries_nothing_for_another(sides: Sides) -> None:
    """From a host with names of its own: what TLS was set up for, the request must be for."""
    alpha, beta = (sides.name_of(account) for account in (ALPHA, BETA))
    tls = ssl.create_default_context(cafile=sides.server.ready["ca_file"])
    answers: dict[tuple[str, str], bytes] = {}
    for asked_for, host in ((alpha, alpha), (alpha, beta), (beta, alpha), (alpha, "localhost")):
        line = f"host: {host}".encode()
        request_for = request(sides).replace(f"host: {PUBLIC.server_address}".encode(), line)
        if host == beta:
            request_for = request_for.replace(f"/{ALPHA}/openai".encode(), b"/openai")
        with (
            connected(sides.bed, "public", (PUBLIC.server_address, 443)) as plain,
            tls.wrap_socket(plain, server_hostname=asked_for) as secure,
        ):
            answers[asked_for, host] = answer(secure, request_for)
    assert answers.pop((alpha, alpha)).startswith(b"HTTP/1.1 200 ")
    for each in answers.values():
        assert each.startswith(b"HTTP/1.1 421 "), answers
