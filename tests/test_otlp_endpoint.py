"""A collector is reached as settings say, and in no other way."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import msgspec
import pytest

from linarite.controls.egress import EgressDialer, EgressPolicy, PurposeHosts
from linarite.domain.errors import SetupError
from linarite.otlp_endpoint import OtlpEndpoint, collector_hosts, collector_of
from linarite.telemetry.options import Otlp
from linarite.telemetry.otlp import Delivery, enveloped
from tests.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

BODY = enveloped([], {"service.name": "linarite"}, version="1")


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A running one."""
    with Collector() as running:
        yield running


def dialer(settings: Otlp) -> EgressDialer:
    """One that knows the collector, as a server has it."""
    named = PurposeHosts(named_hosts=collector_hosts(settings))
    return EgressDialer(EgressPolicy(purposes={"telemetry": named}))


async def delivered(settings: Otlp, body: bytes = BODY) -> Delivery:
    """What becomes of one body."""
    endpoint = OtlpEndpoint(settings, dialer(settings))
    try:
        return await endpoint.deliver("/v1/metrics", body)
    finally:
        await endpoint.close()


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.anyio
async def test_a_body_arrives(collector: Collector, compression: str) -> None:
    """Compressed or not, with the headers of the settings."""
    settings = msgspec.convert(
        {"endpoint": collector.url, "headers": {"X-Key": "s3cret"}, "compression": compression},
        Otlp,
    )
    assert await delivered(settings) == Delivery(taken=True)
    assert collector.taken[0].resource_metrics[0].resource.attributes[0].key == "service.name"
    headers = {name.lower(): value for name, value in collector.headers[0].items()}
    assert headers["x-key"] == "s3cret"
    assert headers.get("content-encoding") == ("gzip" if compression == "gzip" else None)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("status", "again", "wait_s"), [(429, True, 7.0), (503, True, 7.0), (400, False, 7.0)]
)
@pytest.mark.anyio
async def test_a_status_says_whether_to_try_again(
    collector: Collector, status: int, again: bool, wait_s: float
) -> None:
    """As OTLP has it: 429 and 503 may be sent again, after the time the collector asks for."""
    collector.answers.append((status, {"retry-after": "7"}, b""))
    delivery = await delivered(Otlp(endpoint=collector.url))
    assert (delivery.taken, delivery.again, delivery.wait_s) == (False, again, wait_s)
    assert str(status) in delivery.detail


@pytest.mark.anyio
async def test_a_part_that_was_refused_is_told(collector: Collector) -> None:
    """`partial_success` with counts is no full success; an empty one is."""
    collector.answers += [(200, {}, b"\x0a\x02\x08\x03"), (200, {}, b"\x0a\x00")]
    assert (await delivered(Otlp(endpoint=collector.url))).detail
    assert not (await delivered(Otlp(endpoint=collector.url))).detail


@pytest.mark.anyio
async def test_nobody_there_may_come_back() -> None:
    """A refused connection is tried again later."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    delivery = await delivered(Otlp(endpoint=f"http://127.0.0.1:{port}"))
    assert (delivery.taken, delivery.again) == (False, True)


@pytest.mark.anyio
async def test_egress_rules_hold(collector: Collector) -> None:
    """A collector that settings don't name for this purpose is not reached."""
    settings = Otlp(endpoint=collector.url)
    endpoint = OtlpEndpoint(settings, EgressDialer(EgressPolicy()))
    delivery = await endpoint.deliver("/v1/metrics", BODY)
    assert not delivery.taken
    assert "egress.telemetry.allowed_hosts" in delivery.detail
    assert not collector.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.anyio
async def test_no_redirect_is_followed(collector: Collector, status: int) -> None:
    """The figures and the headers are for the collector that settings name; it is told as lost."""
    with Collector() as elsewhere:
        collector.answers.append((status, {"location": f"{elsewhere.url}/v1/metrics"}, b""))
        delivery = await delivered(Otlp(endpoint=collector.url, headers={"X-Key": "s3cret"}))
        assert (delivery.taken, delivery.again) == (False, False)
        assert str(status) in delivery.detail
        assert (len(collector.headers), elsewhere.headers) == (1, [])


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (Otlp(endpoint="collector:4318"), "https://host/path"),
        (Otlp(endpoint="http://otel.example.com:4318"), "otlp.allow_plain_http"),
        (Otlp(endpoint="https://otel.example.com/?key=1"), "otlp.endpoint"),
    ],
)
def test_a_wrong_address_is_said_at_the_start(settings: Otlp, advice: str) -> None:
    """The message names the setting to change."""
    with pytest.raises(SetupError, match=advice):
        collector_of(settings)


def test_a_header_that_breaks_the_request_is_said_at_the_start() -> None:
    """No line break gets into a request."""
    settings = Otlp(endpoint="https://otel.example.com", headers={"x": "a\r\nb: c"})
    with pytest.raises(SetupError, match=r"otlp\.headers"):
        OtlpEndpoint(settings, dialer(settings))
