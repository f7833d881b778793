"""The headers of every answer, as Azure's front end sends them, in the bytes that go out."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.dataplane.call import Call
    from linarite.domain.facts import Model

CLIENT_REQUEST_ID_MAX = 128
JSON = b"content-type: application/json\r\n"
SECURE = b"strict-transport-security: max-age=31536000; includeSubDomains\r\n"
STREAMING = (b"azureai-fe-is-streaming: False\r\n", b"azureai-fe-is-streaming: True\r\n")


def common_lines(call: Call) -> bytes:
    """Ids, times, and what is served where. Nothing in it can hold a line break."""
    request_id = call.request_id.encode()
    lines = (
        b"apim-request-id: %b\r\nx-request-id: %b\r\nx-ms-client-request-id: %b\r\n"
        b"openai-processing-ms: %d\r\nx-content-type-options: nosniff\r\n"
        b"x-ms-rai-invoked: false\r\n"
        % (
            request_id,
            request_id,
            client_request_id(call.headers) or request_id,
            (time.perf_counter() - call.started_at) * 1000,
        )
    )
    if call.secure:
        lines += SECURE
    if call.facts is None:
        return lines
    region = call.region_title
    deployment = call.deployment
    if deployment is None:
        return lines + region_line(region)
    served = deployment_lines(region, deployment.name, deployment.model, deployment.instance)
    way = way_lines(call.spilled_from, call.service_tier_asked, call.service_tier)
    reply = call.reply
    streaming = STREAMING[reply is not None and reply.streamed]
    return lines + call.lease.lines + served + way + streaming


@lru_cache(maxsize=1024)  # the same few for every request
def deployment_lines(region: str, name: str, model: Model, instance: str) -> bytes:
    """Which deployment answers."""
    return (
        b"%bx-ms-deployment-name: %b\r\nx-ms-served-model: %b\r\nazureml-model-session: %b\r\n"
        % (
            region_line(region),
            header_value(name),
            header_value(model.served_name),
            header_value(instance),
        )
    )


@lru_cache(maxsize=1024)
def way_lines(spilled_from: str, asked_tier: str, tier: str) -> bytes:
    """Whether another deployment was called, and in which service tier it is served."""
    lines = b"x-ms-is-spilled-over: false\r\n"
    if spilled_from:
        lines = b"x-ms-is-spilled-over: true\r\nx-ms-spillover-from-deployment: %b\r\n" % (
            header_value(spilled_from)
        )
    for name, each in ((b"requested", asked_tier), (b"processed", tier)):
        if each:
            lines += b"azureai-%b-tier: %b\r\n" % (name, header_value(each))
    return lines


def region_line(region: str) -> bytes:
    """Where it is served."""
    return b"x-ms-region: %b\r\n" % header_value(region)


def client_request_id(headers: Mapping[bytes, bytes]) -> bytes:
    """The caller's own id, if it is fit to be echoed."""
    value = headers.get(b"x-ms-client-request-id")
    if not value:
        return b""
    if len(value) <= CLIENT_REQUEST_ID_MAX and value.isascii() and value.decode().isprintable():
        return value
    return b""


def header_value(text: str) -> bytes:
    """Text as a header may carry it: printable latin-1, everything else replaced."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return text.encode("latin-1", "replace")
