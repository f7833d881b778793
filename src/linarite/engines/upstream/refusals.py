"""What an upstream's refusal means to our caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from linarite.domain.errors import (
    ContextLengthExceeded,
    EngineFailed,
    InvalidRequest,
    LinariteError,
    ModelError,
    RequestTimedOut,
    ServiceUnavailable,
    UpstreamRefused,
    retry_headers,
)
from linarite.engines.http_client import (
    ConnectError,
    ConnectionLost,
    DeadlinePassed,
    HttpClientError,
    MalformedReply,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

OURS = frozenset((401, 403, 404, 405))
"""statuses that speak of the key, path or model name we sent: nothing our caller could change"""
_BAD_REQUEST, _TOO_MANY, _SERVER_ERROR, _UNAVAILABLE = 400, 429, 500, 503
_WAIT_S = 1.0
"""what a caller is told where the upstream said nothing"""
_PASSED_ON_PREFIX = "x-ratelimit-"
_STATUS_OF = {
    "rate_limit_exceeded": _TOO_MANY,
    "rate_limit_error": _TOO_MANY,
    "too_many_requests": _TOO_MANY,
    "insufficient_quota": _TOO_MANY,
    "invalid_request_error": _BAD_REQUEST,
    "content_filter": _BAD_REQUEST,
    "context_length_exceeded": _BAD_REQUEST,
}


class UpstreamRefusedRequest(UpstreamRefused, InvalidRequest):
    """A refusal for what the request says: the port calls it InvalidRequest."""


class UpstreamRefusedLength(UpstreamRefused, ContextLengthExceeded):
    """A refusal of too long a prompt, in the upstream's words."""

    def __init__(self, status: int, error: dict[str, Any], headers: dict[str, str]) -> None:
        """As UpstreamRefused; the limit is known to the upstream alone."""
        ModelError.__init__(self, str(error.get("message")), headers=headers)
        self.status = status
        self.error = error


def refusal(
    status: int, headers: Mapping[str, str], error: dict[str, Any], wait_s: float | None
) -> LinariteError:
    """The error for an answer that is not a success, once there is no trying again.

    `wait_s` is what its headers ask for. The caller is told in both of Azure's headers, always:
    clients read the one in milliseconds first, and a 429 without any is repeated at once.
    """
    passed_on = {
        name: value for name, value in headers.items() if name.startswith(_PASSED_ON_PREFIX)
    }
    if wait_s is not None or status in (_TOO_MANY, _UNAVAILABLE):
        passed_on |= retry_headers(_WAIT_S if wait_s is None else wait_s)
    if status == _UNAVAILABLE:
        unavailable = ServiceUnavailable("the upstream of this deployment is unavailable")
        unavailable.headers.update(passed_on)
        return unavailable
    if status in OURS or not _BAD_REQUEST <= status < _SERVER_ERROR:
        return not_set_up() if status < _SERVER_ERROR else failed(f"answered {status}")
    return _as_refused(status, error, passed_on)


def error_in_stream(error: dict[str, Any]) -> LinariteError:
    """The error for an error object where a piece of the answer should be."""
    for word in (error.get("code"), error.get("status"), error.get("type")):
        status = _status_of(word)
        if _BAD_REQUEST <= status < _SERVER_ERROR and status not in OURS:
            return _as_refused(status, error, retry_headers(_WAIT_S) if status == _TOO_MANY else {})
    return failed("broke off its answer with an error")


def error_object(body: bytes) -> dict[str, Any]:
    """The error of a body in any of the shapes servers use, as OpenAI's four fields and more.

    A body that holds none gives an error without a message worth reading, not the body: it may be
    a proxy's page.
    """
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        decoded = None
    whole = cast("dict[str, Any]", decoded) if isinstance(decoded, dict) else {}
    inner: object = whole.get("error") or whole.get("detail") or whole
    if isinstance(inner, dict):
        found = cast("dict[str, Any]", inner)
        message = found.get("message")
    else:
        found, message = {}, inner
    known = {
        "message": message if isinstance(message, str) and message else "The upstream refused.",
        "type": found.get("type"),
        "param": found.get("param"),
        "code": found.get("code"),
    }
    return {**found, **known}


def connection_failure(error: HttpClientError, *, yielded_any: bool) -> LinariteError:
    """The error for a connection that failed, as the Engine port wants it told."""
    if isinstance(error, DeadlinePassed):
        return RequestTimedOut()
    if yielded_any or not isinstance(error, ConnectError | ConnectionLost | MalformedReply):
        return failed("broke off its answer")
    return ServiceUnavailable("the upstream of this deployment cannot be reached")


def failed(how: str) -> EngineFailed:
    """The upstream's own failure."""
    return EngineFailed(f"The upstream of this deployment {how}. You can retry your request.")


def not_set_up() -> EngineFailed:
    """Our misconfiguration: the operator finds the reason in the log, the caller is spared it."""
    return EngineFailed(
        "The upstream of this deployment is not set up properly. Its operator finds the reason in "
        "the log."
    )


def _as_refused(status: int, error: dict[str, Any], headers: dict[str, str]) -> UpstreamRefused:
    code, param = error.get("code"), error.get("param")
    kind = UpstreamRefused
    if status == _BAD_REQUEST:
        is_length = code == ContextLengthExceeded.code
        kind = UpstreamRefusedLength if is_length else UpstreamRefusedRequest
    refused = kind(status, error, headers)
    refused.code = str(code) if code is not None else None
    refused.param = param if isinstance(param, str) else None
    return refused


def _status_of(word: object) -> int:
    if isinstance(word, int):
        return word
    if isinstance(word, str):
        return int(word) if word.isascii() and word.isdigit() else _STATUS_OF.get(word, 0)
    return 0
