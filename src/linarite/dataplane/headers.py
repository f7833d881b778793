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
    if call.facts is None:
        return lines
    region = call.region_title
    deployment = call.deployment
    if deployment is None:
        return lines + region_line(region)
    served = deployment_lines(region, deployment.name, deployment.model, deployment.instance)
    if call.spilled_from:
        served += b"x-ms-is-spilled-over: true\r\nx-ms-spillover-from-deployment: %b\r\n" % (
            header_value(call.spilled_from)
        )
    return lines + call.lease.lines + served


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
