"""What trusted proxies say in headers: the right-most station that is none of them."""

from __future__ import annotations

import pytest

from linarite.web.addresses import Ranges
from linarite.web.exchange import Exchange
from linarite.web.forwarded import apply_forwarded
from linarite.web.request_head import RequestHead
from tests.web.test_edge_planes import Silent

PROXIES = Ranges(["10.0.0.0/24", "127.0.0.1", "2001:db8:aa::/48"], "x")


def forwarded(*headers: tuple[str, str], peer: str = "10.0.0.1") -> Exchange:
    """A request as it is after a trusted proxy's headers have been heard."""
    lines = [(b"host", b"inside"), *((name.encode(), value.encode()) for name, value in headers)]
    exchange = Exchange(Silent(), RequestHead("GET", ("/", b"/", b""), lines))
    exchange.client = (peer, 4711)
    apply_forwarded(exchange, PROXIES)
    return exchange


def text(exchange: Exchange, name: bytes) -> str | None:
    """A header that is left."""
    value = dict(exchange.headers).get(name)
    assert exchange.named == dict(exchange.headers)
    return value.decode() if value is not None else None


FOR = "x-forwarded-for"


@pytest.mark.parametrize(
    ("headers", "client", "left"),
    [
        ([(FOR, "192.0.2.7")], "192.0.2.7", None),
        ([(FOR, "6.6.6.6, 192.0.2.7")], "192.0.2.7", "6.6.6.6"),
        ([(FOR, "192.0.2.7, 10.0.0.2, 10.0.0.3")], "192.0.2.7", None),
        ([(FOR, "6.6.6.6"), (FOR, "192.0.2.7")], "192.0.2.7", "6.6.6.6"),
        ([(FOR, "6.6.6.6, 192.0.2.7, 10.0.0.2")], "192.0.2.7", "6.6.6.6"),
        ([(FOR, "10.0.0.9, 10.0.0.2")], "10.0.0.9", None),
        ([(FOR, "2001:db8::7")], "2001:db8::7", None),
        ([(FOR, "[2001:db8::7]:99")], "2001:db8::7", None),
        ([(FOR, "192.0.2.7:99")], "192.0.2.7", None),
        ([(FOR, "::ffff:192.0.2.7")], "192.0.2.7", None),
        ([(FOR, "6.6.6.6, unknown")], None, "6.6.6.6"),
        ([(FOR, "6.6.6.6, ")], "6.6.6.6", None),
        ([(FOR, "")], None, None),
        ([("x-real-ip", "192.0.2.7")], None, None),
        ([("x-forwarded-proto", "https")], None, None),
        # A proxy elsewhere can't speak for this machine's own loopback.
        ([(FOR, "127.0.0.1")], None, None),
        ([(FOR, "127.0.0.2")], None, None),
        ([(FOR, "0.0.0.0")], None, None),  # noqa: S104 - nothing is bound
        ([("forwarded", "for=192.0.2.7;proto=https")], "192.0.2.7", None),
        ([("forwarded", 'for=6.6.6.6, for="[2001:db8::7]:99"')], "2001:db8::7", "for=6.6.6.6"),
        (
            [("forwarded", "for=6.6.6.6"), ("forwarded", "For=192.0.2.7")],
            "192.0.2.7",
            "for=6.6.6.6",
        ),
        (
            [("forwarded", 'for="6.6.6.6, for=1.1.1.1", for=192.0.2.7')],
            "192.0.2.7",
            'for="6.6.6.6, for=1.1.1.1"',
        ),
        ([("forwarded", "for=_hidden")], None, None),
        ([("forwarded", "for=192.0.2.7"), (FOR, "6.6.6.6")], "192.0.2.7", None),
    ],
)
def test_the_client_is_the_last_station_that_is_no_proxy(
    headers: list[tuple[str, str]], client: str | None, left: str | None
) -> None:
    """What that one says itself of others is left in the header, and believed by nobody.

    Of whom they tell no address, nothing is known: the proxy's own may be let in where he is not.
    """
    exchange = forwarded(*headers)
    assert (exchange.client[0] if exchange.client is not None else None) == client
    assert text(exchange, headers[0][0].encode()) == left


def test_a_proxy_on_this_machine_may_speak_for_it() -> None:
    """Of loopback only loopback knows."""
    exchange = forwarded((FOR, "127.0.0.5"), peer="127.0.0.1")
    assert exchange.client == ("127.0.0.5", 0)


@pytest.mark.parametrize(
    ("headers", "secure", "host"),
    [
        ([(FOR, "192.0.2.7"), ("x-forwarded-proto", "https")], True, "inside"),
        ([(FOR, "192.0.2.7"), ("x-forwarded-proto", "http, https")], True, "inside"),
        ([(FOR, "192.0.2.7"), ("x-forwarded-proto", "https, http")], False, "inside"),
        ([("x-forwarded-host", "a.openai.linarite.internal")], False, "a.openai.linarite.internal"),
        ([("x-forwarded-host", "evil/path"), (FOR, "1.2.3.4")], False, "inside"),
        ([("x-forwarded-proto", "gopher")], False, "inside"),
        ([("forwarded", 'for=192.0.2.7;proto=https;host="a.b:8443"')], True, "a.b:8443"),
    ],
)
def test_scheme_and_host_are_the_proxys(
    headers: list[tuple[str, str]], host: str, *, secure: bool
) -> None:
    """The nearest proxy's, for the client that it tells."""
    exchange = forwarded(*headers)
    assert exchange.secure is secure
    assert text(exchange, b"host") == host
    assert not [name for name, _ in exchange.headers if name.startswith(b"x-forwarded-p")]
