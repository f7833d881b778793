"""From ASGI to a `Call`, and from the pipeline's events to bytes. Plain ASGI: this is hot."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import structlog

from linarite.dataplane.call import Call
from linarite.dataplane.limits import count_custom_headers
from linarite.dataplane.pipeline import serve
from linarite.dataplane.record import Outcome, record_of
from linarite.domain.errors import (
    EngineFailed,
    GatewayError,
    InternalError,
    LinariteError,
    ModelError,
    ServiceUnavailable,
)
from linarite.telemetry.logs import request_id as logged_request_id
from linarite.web.body import ClientLeft, discard_rest, read_json_body
from linarite.web.departure import DepartureWatch
from linarite.web.error_envelope import error_body
from linarite.web.ids import new_guid
from linarite.web.sse import STREAM_HEADERS, error_frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from linarite.dataplane.call import Operation, Reply
    from linarite.dataplane.options import Limits
    from linarite.dataplane.pipeline import Surface
    from linarite.dataplane.router import Router
    from linarite.domain.facts import Deployment, Model
    from linarite.domain.request_record import RequestRecord
    from linarite.web.asgi import HeaderList, Receive, Scope, Send

log = structlog.get_logger("linarite.dataplane")

CLIENT_LEFT_STATUS = 499
JSON = (b"content-type", b"application/json")
CLIENT_REQUEST_ID_MAX = 128


class Exchange:
    """One request and its answer: what was sent so far, and how it ended."""

    __slots__ = (
        "call",
        "complete",
        "error_code",
        "finish",
        "lingering",
        "send",
        "status",
        "streaming",
        "watch",
    )

    def __init__(self, call: Call, send: Send, watch: DepartureWatch) -> None:
        """Nothing sent yet."""
        self.call = call
        self.send = send
        self.watch = watch
        self.status = 0
        self.error_code = ""
        self.streaming = False
        self.complete = False
        self.lingering = False
        """refused while the body was still coming: the answer stays open until it has come"""
        self.finish = "completed"

    async def send_last(self, body: bytes) -> None:
        """Send the end of the answer. Servers report a disconnect after it, which means nothing."""
        self.watch.stop()
        self.complete = True
        await self.send({"type": "http.response.body", "body": body})


class DataPlane:
    """The ASGI application of the data plane."""

    def __init__(
        self,
        router: Router,
        surface: Surface,
        limits: Limits,
        observe: Callable[[RequestRecord], None],
    ) -> None:
        """`observe` takes each finished request's record; it must not block or raise."""
        self._router = router
        self._surface = surface
        self._limits = limits
        self._observe = observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens, and record how."""
        clock = time.perf_counter  # the loop's own clock stands still within an iteration
        started_ns = time.time_ns()
        headers = dict(scope["headers"])
        limits = self._limits

        async def body() -> bytes:
            read = await read_json_body(
                scope, receive, headers, limits.body_bytes_max, limits.body_read_s
            )
            call.body_left = False
            watch.begin()
            return read

        call = Call(
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            request_id=new_guid(),
            started_at=clock(),
            body=body,
        )
        logged_request_id.set(call.request_id)  # each request is a task, with a context of its own
        call.body_left = b"content-length" in headers or b"transfer-encoding" in headers
        watch = DepartureWatch(receive)
        exchange = Exchange(call, send, watch)
        found: Operation | LinariteError = self._router.find(call, scope["query_string"])
        try:
            count_custom_headers(scope["headers"], limits.custom_headers_max)
        except LinariteError as refusal:
            found = refusal
        try:
            await self._answer(exchange, found, clock)
        except asyncio.CancelledError:
            _uncancel()
            if watch.departed:
                exchange.finish = "client_left"
                exchange.status = exchange.status or CLIENT_LEFT_STATUS
                call.usage = None if call.reply is None else call.reply.usage
            else:
                await self._refuse(exchange, ServiceUnavailable("the server is shutting down", 5))
        finally:
            watch.stop()
            # It refers to the call: left in place, both would wait for the garbage collector.
            del call.body
            self._observe(
                record_of(
                    call,
                    Outcome(exchange.status, exchange.error_code, exchange.finish),
                    operation="" if isinstance(found, LinariteError) else found.name,
                    client=scope.get("client"),
                    started_at_ns=started_ns,
                    ended_at=clock(),
                )
            )
        if exchange.lingering:
            with suppress(asyncio.CancelledError):
                await discard_rest(receive)
            await exchange.send_last(b"")

    async def _answer(
        self, exchange: Exchange, found: Operation | LinariteError, clock: Callable[[], float]
    ) -> None:
        call = exchange.call
        events = serve(call, found, self._surface)
        try:
            first = await anext(events)
            call.first_event_at = clock()
            reply = cast("Reply", call.reply)  # every operation's parse has set it
            if reply.streamed:
                await self._stream(exchange, reply, first, events)
            else:
                await self._fold(exchange, reply, first, events)
        except ClientLeft:
            exchange.status = CLIENT_LEFT_STATUS
            exchange.finish = "client_left"
        except (GatewayError, ModelError) as error:
            await self._refuse(exchange, error)
        except StopAsyncIteration:
            await self._refuse(exchange, EngineFailed("The engine gave no answer."))
        except Exception:  # SetupError too: what is wrong with settings is for the log
            log.exception("request failed", request_id=call.request_id, path=call.path)
            await self._refuse(exchange, InternalError(call.request_id))
        finally:
            try:
                await events.aclose()
            except Exception:
                log.exception("request did not end well", request_id=call.request_id)

    async def _stream(
        self,
        exchange: Exchange,
        reply: Reply,
        first: object,
        events: AsyncGenerator[Any, None],
    ) -> None:
        send = exchange.send
        frame = reply.frame(first)
        await self._start(exchange, 200, STREAM_HEADERS + reply.headers)
        exchange.streaming = True
        if frame:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        async for event in events:
            frame = reply.frame(event)
            if frame:
                await send({"type": "http.response.body", "body": frame, "more_body": True})
        exchange.call.usage = reply.usage
        await exchange.send_last(reply.end())

    async def _fold(
        self,
        exchange: Exchange,
        reply: Reply,
        first: object,
        events: AsyncGenerator[Any, None],
    ) -> None:
        reply.add(first)
        async for event in events:
            reply.add(event)
        exchange.call.usage = reply.usage
        body = reply.body()
        await self._start(
            exchange, 200, [JSON, (b"content-length", b"%d" % len(body)), *reply.headers]
        )
        await exchange.send_last(body)

    async def _refuse(self, exchange: Exchange, error: LinariteError) -> None:
        """Tell the error: as a status while that is possible, else as the stream's last event."""
        if exchange.complete:
            return
        exchange.error_code = error.code or ""
        if exchange.call.reply is not None:
            exchange.call.usage = exchange.call.reply.usage
        if exchange.streaming:
            exchange.finish = "failed"
            await exchange.send_last(error_frame(error))
            return
        if exchange.status:
            # The plain answer had begun; nothing can be told any more.
            exchange.finish = "failed"
            return
        exchange.finish = "failed" if error.status >= InternalError.status else "refused"
        body = error_body(error)
        extra: HeaderList = [JSON, (b"content-length", b"%d" % len(body))]
        extra += [(name.encode(), header_value(value)) for name, value in error.headers.items()]
        if not exchange.call.body_left:
            await self._start(exchange, error.status, extra)
            await exchange.send_last(body)
            return
        exchange.lingering = True
        extra.append((b"connection", b"close"))
        await self._start(exchange, error.status, extra)
        await exchange.send({"type": "http.response.body", "body": body, "more_body": True})

    async def _start(self, exchange: Exchange, status: int, extra: HeaderList) -> None:
        exchange.status = status
        await exchange.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": self._headers(exchange) + extra,
            }
        )

    def _headers(self, exchange: Exchange) -> HeaderList:
        """The headers of every answer, as Azure's front end sends them."""
        call = exchange.call
        request_id = call.request_id.encode()
        elapsed_s = time.perf_counter() - call.started_at
        headers: HeaderList = [
            (b"apim-request-id", request_id),
            (b"x-request-id", request_id),
            (b"x-ms-client-request-id", client_request_id(call.headers) or request_id),
            (b"openai-processing-ms", b"%d" % (elapsed_s * 1000)),
            (b"x-content-type-options", b"nosniff"),
            (b"x-ms-rai-invoked", b"false"),
        ]
        if call.facts is not None:
            headers += facts_headers(call.facts.account.region_title, call.deployment)
        return headers


def facts_headers(region_title: str, deployment: Deployment | None) -> HeaderList:
    """What is served, and where."""
    region = (b"x-ms-region", header_value(region_title))
    if deployment is None:
        return [region]
    names = deployment_headers(deployment.name, deployment.model, deployment.instance)
    return [region, *names]


@lru_cache(maxsize=1024)  # the same few for every request
def deployment_headers(name: str, model: Model, instance: str) -> tuple[tuple[bytes, bytes], ...]:
    """Which deployment answers."""
    return (
        (b"x-ms-deployment-name", header_value(name)),
        (b"x-ms-served-model", header_value(model.served_name)),
        (b"azureml-model-session", header_value(instance)),
    )


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


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
