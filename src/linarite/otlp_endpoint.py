"""A collector of OpenTelemetry over HTTP, as the settings under `[otlp]` name it.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-request: binary protobuf, and which statuses
mean that a body may be sent again.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from linarite import __version__
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused, LinariteError, SetupError
from linarite.domain.target import configured_target
from linarite.engines.http_client import HttpClient, HttpClientError, dialer_connector
from linarite.telemetry.otlp import Delivery

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer
    from linarite.domain.target import Target
    from linarite.engines.http_client import Response
    from linarite.telemetry.options import Otlp
    from linarite.telemetry.otlp import SignalPath

ERRAND = Errand("telemetry")
"""the server's own, whoever's requests are told of"""
ANSWER_BYTES_MAX = 64 * 1024
WAIT_MAX_S = 300.0
TRY_AGAIN = frozenset((429, 502, 503, 504))
NEVER = frozenset((400, 413))
TAKEN = 200
GZIP = 31
"""zlib's word for the format"""


class OtlpEndpoint:
    """Implements `linarite.telemetry.otlp.Endpoint`."""

    def __init__(self, settings: Otlp, dialer: Dialer) -> None:
        """Connects to nothing yet. Raises SetupError for an address or header that can't be one."""
        self._settings = settings
        target = collector_of(settings)
        self._prefix = target.path.rstrip("/")
        self._client = HttpClient(
            dialer_connector(dialer, target, lambda: ERRAND, ca_file=settings.ca_file or None),
            host=target.host_header,
            connections_max=2,
        )
        self._headers = [
            ("content-type", "application/x-protobuf"),
            ("user-agent", f"linarite/{__version__}"),
            *((name.lower(), value) for name, value in settings.headers.items()),
        ]
        if settings.compression == "gzip":
            self._headers.append(("content-encoding", "gzip"))
        try:
            self._client.prepare("POST", f"{self._prefix}/v1/metrics", self._headers)
        except (ValueError, UnicodeEncodeError):
            raise SetupError("otlp.headers: a name or a value can't stand in a header.") from None

    async def deliver(self, path: SignalPath, body: bytes) -> Delivery:
        """Send one body and wait for its answer, `timeout_s` at most."""
        if self._settings.compression == "gzip":
            body = await asyncio.to_thread(zlib.compress, body, 6, GZIP)
        deadline_s = self._settings.timeout_s
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._client.send(
                    "POST",
                    f"{self._prefix}{path}",
                    self._headers,
                    body,
                    first_byte_s=deadline_s,
                    idle_s=deadline_s,
                )
                said = await answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            return Delivery(taken=False, again=True, detail=f"no answer within {deadline_s:g} s")
        except EgressRefused as refused:
            return Delivery(taken=False, again=True, detail=refused.message)
        except (HttpClientError, LinariteError, OSError) as problem:
            return Delivery(taken=False, again=True, detail=str(problem) or type(problem).__name__)
        return _judged(answer, said)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def collector_of(settings: Otlp) -> Target:
    """Where the collector is. Raises SetupError."""
    try:
        plain = settings.allow_plain_http
        return configured_target(settings.endpoint, allow_plain_http=plain, section="otlp.")
    except SetupError as refused:
        raise SetupError(f"otlp.endpoint: {refused.message}") from None


def collector_hosts(settings: Otlp) -> frozenset[str]:
    """The host that settings name, wherever it is; none without one. Raises SetupError."""
    return frozenset((collector_of(settings).host,)) if settings.endpoint else frozenset()


def _judged(answer: Response, said: bytes) -> Delivery:
    if answer.status == TAKEN:
        return Delivery(taken=True, detail=_refused_part(said))
    wait = answer.headers.get("retry-after", "")
    wait_s = min(float(wait), WAIT_MAX_S) if wait.isdecimal() else 0.0
    return Delivery(
        taken=False,
        again=answer.status in TRY_AGAIN,
        unacceptable=answer.status in NEVER,
        wait_s=wait_s,
        detail=f"it answered with status {answer.status}",
    )


def _refused_part(said: bytes) -> str:
    """Whether the collector took a part only: `partial_success`, the answer's one field."""
    partial_success = b"\x0a"
    if said[:1] == partial_success and said[1:2] not in {b"", b"\x00"}:
        return "it took a part only"
    return ""
