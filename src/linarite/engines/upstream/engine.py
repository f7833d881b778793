"""The engine: forwards asks to the upstream and turns its answers into events."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from linarite.domain.errors import LinariteError, ServiceUnavailable, SetupError
from linarite.engines.http_client import (
    EventParser,
    HttpClient,
    HttpClientError,
    dialer_connector,
)
from linarite.engines.upstream.calls import UpstreamCalls, errand_now
from linarite.engines.upstream.chat import ChatReader, chat_body
from linarite.engines.upstream.completion import CompletionReader, completion_body
from linarite.engines.upstream.credentials import Credentials
from linarite.engines.upstream.embedding import embedding_body, embedding_event
from linarite.engines.upstream.endpoint import Endpoint
from linarite.engines.upstream.options import read_options
from linarite.engines.upstream.refusals import connection_failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from linarite.domain.chat import ChatAsk, ChatEvent
    from linarite.domain.completion import CompletionAsk, CompletionEvent
    from linarite.domain.embedding import EmbeddingAsk, EmbeddingEvent
    from linarite.domain.engine import Capabilities, InstanceSpec, Surroundings
    from linarite.engines.http_client import Connector, Response
    from linarite.engines.upstream.endpoint import Operation

log = structlog.get_logger("linarite.upstream")

_REPLY_BYTES_MAX = 256 * 1024 * 1024
_EVENT_BYTES_MAX = 16 * 1024 * 1024
_EVENT_STREAM = "text/event-stream"
_PROBE_S = 10.0

EventT_co = TypeVar("EventT_co", covariant=True)


class Reader(Protocol[EventT_co]):
    """Turns one answer into events: `ChatReader`, `CompletionReader`."""

    def whole(self, body: bytes) -> EventT_co:
        """The event of an answer that was not streamed."""
        ...

    def piece(self, payload: bytes) -> EventT_co | None:
        """The event of a piece of a stream."""
        ...

    def last(self, *, ended: bool) -> EventT_co | None:
        """The event after the last piece."""
        ...


class UpstreamEngine:
    """Another endpoint, behind the Engine port.

    It keeps no state but connections, so it never dies: `wait_exit` waits for ever, and an upstream
    that is down fails requests, not the instance.
    """

    def __init__(self, spec: InstanceSpec, surroundings: Surroundings) -> None:
        """Check the options. Raises SetupError."""
        self._options = read_options(spec)
        self._name = spec.name
        self._credentials = Credentials(spec.name, self._options, time.monotonic)
        self._endpoint = Endpoint(spec, self._options, self._credentials)
        self._client = HttpClient(
            self._connector(surroundings),
            host=self._endpoint.target.host_header,
            # Requests beyond `parallel_requests` wait in the gateway's queue, not here; the rest is
            # for connections whose answer is read but not yet ended.
            connections_max=2 * self._options.parallel_requests,
            idle_keep_s=self._options.keep_alive_s,
        )
        self._calls = UpstreamCalls(
            spec.name,
            self._options,
            self._client,
            self._endpoint,
            self._credentials,
            surroundings.dialer,
        )
        self._running = 0
        self._quiet = asyncio.Event()
        self._stopped = False

    @property
    def running(self) -> int:
        """How many requests are under way."""
        return self._running

    async def start(self, progress: Callable[[float, str], None]) -> Capabilities:
        """Check the files that options name; an upstream that is down doesn't matter yet.

        Raises SetupError.
        """
        self._credentials.check()
        if self._options.ca_file:
            await asyncio.to_thread(_check_authorities, self._name, self._options.ca_file)
        target = self._endpoint.target
        if self._options.api_key and not target.tls and target.host not in _LOOPBACK:
            log.warning(
                "the key goes over the network unencrypted",
                setting=f"instances.{self._name}.options.base_url",
                use=f"https://{target.host}",
            )
        if self._options.probe:
            progress(0.5, f"looking for {target.host}")
            await self._probe()
        progress(1.0, f"forwards to {target.host}")
        return self._options.capabilities

    async def wait_exit(self) -> str:
        """Wait for ever."""
        return await asyncio.get_running_loop().create_future()

    async def stop(self, grace_s: float) -> None:
        """Let running answers end for `grace_s`, then close every connection."""
        self._stopped = True
        if self._running:
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await self._quiet.wait()
        self._calls.stop()
        await self._client.close()

    def chat(self, ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        """Answer a chat."""
        body = chat_body(ask, self._endpoint.model)
        return self._answer("chat/completions", body, ChatReader(), streamed=bool(ask.stream))

    def complete(self, ask: CompletionAsk) -> AsyncGenerator[CompletionEvent, None]:
        """Continue prompts."""
        body = completion_body(ask, self._endpoint.model)
        return self._answer("completions", body, CompletionReader(), streamed=bool(ask.stream))

    async def embed(self, ask: EmbeddingAsk) -> EmbeddingEvent:
        """Make vectors."""
        body = embedding_body(ask, self._endpoint.model, self._options.embedding_format)
        self._enter()
        try:
            response = await self._calls.post("embeddings", body)
            return embedding_event(ask, await response.read(_REPLY_BYTES_MAX))
        except HttpClientError as error:
            raise connection_failure(error, yielded_any=False) from error
        finally:
            self._leave()

    async def _answer(
        self, operation: Operation, body: bytes, reader: Reader[EventT_co], *, streamed: bool
    ) -> AsyncGenerator[EventT_co, None]:
        response: Response | None = None
        yielded_any = False
        self._enter()
        try:
            response = await self._calls.post(operation, body)
            if not streamed or response.content_type != _EVENT_STREAM:
                yield reader.whole(await response.read(_REPLY_BYTES_MAX))
                return
            parser = EventParser(_EVENT_BYTES_MAX)
            while (batch := await response.next_events(parser)) is not None:
                for told in batch:
                    event = reader.piece(told.data)
                    if event is not None:
                        yielded_any = True
                        yield event
            event = reader.last(ended=response.ended)
            if event is not None:
                yield event
        except HttpClientError as error:
            raise connection_failure(error, yielded_any=yielded_any) from error
        finally:
            if response is not None:
                response.close()
            self._leave()

    def _enter(self) -> None:
        if self._stopped:
            raise ServiceUnavailable("the upstream of this deployment is being stopped")
        self._running += 1

    def _leave(self) -> None:
        self._running -= 1
        if self._stopped and not self._running:
            self._quiet.set()

    def _connector(self, surroundings: Surroundings) -> Connector:
        options = self._options
        connect = dialer_connector(
            surroundings.dialer, self._endpoint.target, errand_now, ca_file=options.ca_file or None
        )

        async def connect_in_time(factory: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
            async with asyncio.timeout(options.connect_s):
                return await connect(factory)

        return connect_in_time

    async def _probe(self) -> None:
        """Log whether the upstream answers; nothing hangs on it."""
        try:
            response = await self._client.send(
                "GET",
                self._endpoint.models_path,
                self._endpoint.headers(),
                b"",
                first_byte_s=_PROBE_S,
                idle_s=_PROBE_S,
            )
            response.close()
        except LinariteError as error:
            log.warning(
                "upstream not reached",
                instance=self._name,
                why=f"{error.message} {error.__cause__ or ''}".strip(),
            )
        else:
            log.info("upstream answers", instance=self._name, status=response.status)


_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def _check_authorities(instance: str, ca_file: str) -> None:
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SetupError(
            f"instances.{instance}.options.ca_file: {ca_file} can't be used: {error}"
        ) from None
