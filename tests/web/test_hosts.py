"""Which names are answered to, and what they name."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.domain.account_names import ANY_SITE, NOBODY, Site
from linarite.domain.errors import LinariteError
from linarite.domain.network_errors import HostMalformed, HostMisdirected, HostUnknown
from linarite.web.exchange import Exchange
from linarite.web.hosts import REMEMBERED_MAX, Hosts
from linarite.web.options import Server
from linarite.web.request_head import RequestHead
from tests.web.silent import Silent

SETTINGS = Server(hosts=["api.example.com", "*.Apps.example.com"], domain="ai.corp")


def asked(*hosts: bytes, server_name: str = "") -> Exchange:
    """A request with those Host headers."""
    headers = [(b"accept", b"*/*"), *((b"host", host) for host in hosts)]
    made = Exchange(Silent(), RequestHead("GET", ("/", b"/", b""), headers))
    made.server_name = server_name
    return made


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1",
        b"127.0.0.1:8080",
        b"203.0.113.9",
        b"[::1]:8080",
        b"[2001:DB8::1]",
        b"localhost",
        b"LOCALHOST.:443",
        b"app.localhost",
        b"linarite",
        b"my_service:80",
        b"host.docker.internal:8080",
        b"ai.corp",
        b"login.ai.corp",
        b"api.example.com",
        b"API.Example.com.",
        b"one.apps.example.com",
        b"two.one.apps.example.com",
        b"cert.example.org",
        b"any.wild.example.org",
        socket.gethostname().encode(),
    ],
)
def test_known_names(host: bytes) -> None:
    """Those of the machine, of settings and of certificates, in any spelling."""
    hosts = Hosts(SETTINGS, ["cert.example.org", "*.wild.example.org"])
    assert hosts.site(asked(host)) is ANY_SITE
    assert hosts.known[host] is ANY_SITE


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"example.com",
        b"apps.example.com",
        b"notapi.example.com",
        b"api.example.com.evil.example",
        b"xai.corp",
        b"127.0.0.1.evil.example",
        b"localhost.evil.example",
        b"linarite.local",
    ],
)
def test_foreign_names(host: bytes) -> None:
    """A page that has its name mean this machine gets nothing, and the setting is named."""
    hosts = Hosts(SETTINGS)
    with pytest.raises(HostUnknown, match=r"server\.hosts") as refused:
        hosts.site(asked(host))
    assert refused.value.status == 421
    assert host not in hosts.known
    everything = Hosts(Server(hosts=["*"]))
    assert everything.site(asked(host)) is ANY_SITE


@pytest.mark.parametrize(
    ("host", "site"),
    [
        (b"Team-A.OpenAI.ai.corp:8443", ("team-a", "")),
        (b"team-a.cognitiveservices.ai.corp.", ("team-a", "")),
        (b"team-a.services.ai.ai.corp", ("team-a", "")),
        (b"team.a_b.openai.ai.corp", ("team.a_b", "")),
        (b"team-a.privatelink.openai.ai.corp", (NOBODY, "")),
        (b"privatelink.openai.ai.corp", (NOBODY, "")),
        (b"eastus.api.cognitive.ai.corp", ("", "eastus")),
    ],
)
def test_names_of_accounts_and_regions(host: bytes, site: tuple[str, str]) -> None:
    """Whatever the case, the port, the dot at the end."""
    told = Hosts(SETTINGS).site(asked(host))
    assert (told.account, told.region) == site


@pytest.mark.parametrize(
    "hosts",
    [
        (),
        (b"",),
        (b"localhost", b"localhost"),
        (b"localhost", b"evil.example"),
        (b"a b",),
        (b"user@localhost",),
        (b"localhost/x",),
        (b"localhost:x",),
        (b"localhost:123456",),
        (b"[::1",),
        (b"[1:2]",),
        (b"a..b",),
        (b".",),
        (b"localhost\x00",),
        ("ü.example".encode(),),
    ],
)
def test_what_http_asks_of_the_header(hosts: tuple[bytes, ...]) -> None:
    """One, that names a host; `*` in the settings changes nothing of that."""
    with pytest.raises(HostMalformed) as refused:
        Hosts(Server(hosts=["*"])).site(asked(*hosts))
    assert refused.value.status == 400


def test_http_1_0_needs_none() -> None:
    """It had no Host header."""
    request = asked()
    request.http_1_0 = True
    assert Hosts(SETTINGS).site(request) is ANY_SITE
    request.server_name = "a.openai.ai.corp"
    with pytest.raises(HostMisdirected):
        Hosts(SETTINGS).site(request)


@pytest.mark.parametrize(
    ("server_name", "host", "passes"),
    [
        ("a.openai.ai.corp", b"a.openai.ai.corp", True),
        ("A.openai.ai.corp", b"a.services.ai.ai.corp:443", True),
        ("a.openai.ai.corp", b"b.openai.ai.corp", False),
        ("a.openai.ai.corp", b"localhost", False),
        ("a.openai.ai.corp", b"eastus.api.cognitive.ai.corp", False),
        ("api.example.com", b"a.openai.ai.corp", True),
        ("", b"a.openai.ai.corp", True),
    ],
)
def test_tls_and_request_are_for_the_same_account(
    server_name: str, host: bytes, *, passes: bool
) -> None:
    """A connection made for one account carries nothing to another."""
    hosts = Hosts(SETTINGS)
    if passes:
        hosts.site(asked(host, server_name=server_name))
        return
    with pytest.raises(HostMisdirected) as refused:
        hosts.site(asked(host, server_name=server_name))
    assert refused.value.status == 421


def test_what_is_remembered_is_bounded() -> None:
    """A client that makes up names takes no more memory than so many."""
    hosts = Hosts(SETTINGS)
    for number in range(REMEMBERED_MAX + 10):
        hosts.site(asked(b"n%d.ai.corp" % number))
    hosts.site(asked(b"n" * 1000))
    assert len(hosts.known) <= REMEMBERED_MAX
    assert b"n" * 1000 not in hosts.known


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail(host: bytes) -> None:
    """Known, or refused with a status of the fours."""
    try:
        assert isinstance(Hosts(SETTINGS).site(asked(host)), Site)
    except LinariteError as refused:
        assert refused.status in {400, 421}  # noqa: PT017 - either is right
