"""An object store over HTTP, as one sink reaches it."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, NamedTuple

from linarite.diagnostics.sinks.sink import SinkDown
from linarite.domain.dial import Errand
from linarite.domain.errors import EgressRefused
from linarite.domain.target import configured_target
from linarite.engines.http_client import HttpClient, HttpClientError, dialer_connector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.diagnostics.options import SinkSettings
    from linarite.domain.dial import Dialer
    from linarite.domain.target import Target

REQUEST_S = 60.0
ANSWER_BYTES_MAX = 64 * 1024
FORBIDDEN = "the server's egress rules forbid it"
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,80})</Code>")


class Answer(NamedTuple):
    """What the store says."""

    status: int
    code: str
    """its own word for an error, such as `BlobNotFound`; "" without one"""


class StoreEndpoint:
    """Sends requests that are signed already."""

    def __init__(self, settings: SinkSettings, dialer: Dialer, account_id: str) -> None:
        """For the records of one account, whose own egress rules hold too. Raises SetupError."""
        target = store_of(settings)
        self.prefix = target.path.rstrip("/")
        self.host_header = target.host_header
        self._url = settings.url
        self._client = HttpClient(
            dialer_connector(
                dialer,
                target,
                lambda: Errand("diagnostics", account_id),
                ca_file=settings.ca_file or None,
            ),
            host=target.host_header,
            connections_max=1,
        )

    async def put(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises SinkDown where there is no answer. `headers` lack host and content-length."""
        head = self._client.prepare("PUT", path, [*headers.items()])
        try:
            async with asyncio.timeout(REQUEST_S):
                answer = await self._client.send_prepared(
                    head, body, first_byte_s=REQUEST_S, idle_s=REQUEST_S
                )
                said = await answer.read(ANSWER_BYTES_MAX)
        except TimeoutError:
            raise SinkDown("no answer in time", f"{self._url}: no answer in time") from None
        except EgressRefused as refused:
            raise SinkDown(FORBIDDEN, refused.message) from None
        except (HttpClientError, OSError) as problem:
            why = str(problem.__cause__ or problem) or type(problem).__name__
            raise SinkDown("the object store can't be reached", f"{self._url}: {why}") from None
        found = _CODE.search(said)
        return Answer(answer.status, found[1].decode() if found else "")

    def refused(self, answer: Answer, what: str) -> SinkDown:
        """What to raise for an answer that is no success."""
        why = f"the object store answered {answer.status} {answer.code}".rstrip()
        return SinkDown(why, f"{self._url}: {why}, {what}")

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()


def store_of(settings: SinkSettings) -> Target:
    """Where the store is. Raises SetupError."""
    return configured_target(settings.url, allow_plain_http=settings.allow_plain_http)
