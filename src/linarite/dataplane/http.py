"""From a request to a `Call`, and from the pipeline's events to bytes: this is hot."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.dataplane.call import Call
from linarite.dataplane.headers import JSON, common_lines, header_value
from linarite.dataplane.limits import count_custom_headers
from linarite.dataplane.pipeline import serve
from linarite.dataplane.priority_ramp import PriorityRamp
from linarite.dataplane.record import begun_of, record_of
from linarite.domain.account_names import ANY_SITE
from linarite.domain.arrival import ANY_WAY
from linarite.domain.content_log import NO_CONTENT_LOG
from linarite.domain.errors import (
    ConnectionDropped,
    EngineFailed,
    GatewayError,
    InternalError,
    LinariteError,
    ModelError,
    RequestTimedOut,
    ServiceUnavailable,
)
from linarite.domain.price_book import NO_PRICES, PriceBook
from linarite.domain.quota_errors import RateLimitReached
from linarite.domain.usage_journal import NO_JOURNAL
from linarite.telemetry.logs import request_id as logged_request_id
from linarite.web.body import discard_rest, read_json_body
from linarite.web.error_envelope import error_body
from linarite.web.exchange import ClientLeft, header_lines
from linarite.web.ids import new_guid
from linarite.web.sse import STREAM_LINES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from linarite.dataplane.call import Operation, Reply
    from linarite.dataplane.options import Limits
    from linarite.dataplane.pipeline import Surface
    from linarite.dataplane.router import OperationFinder
    from linarite.domain.content_log import ContentSink
    from linarite.domain.facts import Deployment
    from linarite.domain.request_record import RequestRecord
    from linarite.domain.usage import Usage
    from linarite.domain.usage_journal import UsageJournal
    from linarite.telemetry.traces import Tracer
    from linarite.web.exchange import Exchange

log = structlog.get_logger("linarite.dataplane")

CLIENT_LEFT_STATUS = 499
TOLD_EVERY = 16
"""events of a plain answer, of which its client knows nothing yet"""


class RequestBody:
    """A request's body, still to be read."""

    __slots__ = ("_exchange", "_limits", "left")

    def __init__(self, exchange: Exchange, limits: Limits) -> None:
        self._exchange = exchange
        self._limits = limits
        headers = exchange.named
        self.left = b"content-length" in headers or b"transfer-encoding" in headers
        """whether a body was announced and has not been read"""

    async def read(self) -> bytes:
        """The whole of it. From then on the client's leaving cancels the running task.

        Raises ClientLeft too when the client left with all of it sent.
        """
        limits = self._limits
        body = await read_json_body(self._exchange, limits.body_bytes_max, limits.body_read_s)
        self.left = False
        if self._exchange.departed:
            raise ClientLeft
        self._exchange.cancels = True
        return body

    async def pieces(self) -> AsyncIterator[bytes]:
        """It as it comes. Raises RequestTimedOut when nothing comes for `limits.body_read_s`."""
        exchange, wait_s = self._exchange, self._limits.body_read_s
        while not exchange.body_taken:
            try:
                async with asyncio.timeout(wait_s):
                    piece = await exchange.next_piece()
            except TimeoutError:
                raise RequestTimedOut(
                    f"Nothing of the request body came for {wait_s:g} seconds."
                ) from None
            if piece:
                yield piece
        self.left = False


class DataPlane:
    """The handler of the data plane."""

    def __init__(
        self,
        router: OperationFinder,
        surface: Surface,
        limits: Limits,
        observe: Callable[[RequestRecord], None],
        prices: PriceBook = NO_PRICES,
        journal: UsageJournal = NO_JOURNAL,
    ) -> None:
        """`observe` takes each finished request's record; it must not block or raise."""
        self.tracer: Tracer | None = None
        """follows each request, if one is set"""
        self.content_log: ContentSink = NO_CONTENT_LOG
        """takes what is asked and answered where accounts have that kept"""
        self._prices = prices
        self._journal = journal
        self._router = router
        self.surface = ramped(surface if prices is NO_PRICES else priced(surface, prices), limits)
        """with prices, and what takes priority back: one for all who call"""
        self._limits = limits
        self._observe = observe

    def finding_by(self, router: OperationFinder) -> DataPlane:
        """The same, with another way to find operations; all that is counted is counted once."""
        other = copy(self)
        other._router = router  # noqa: SLF001 - a copy of its own
        return other

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request, whatever happens, and record how."""
        clock = time.perf_counter  # the loop's own clock stands still within an iteration
        call = Call(
            method=exchange.method,
            path=exchange.path,
            headers=exchange.named,
            request_id=new_guid(),
            started_at=clock(),
            body=RequestBody(exchange, self._limits),
        )
        call.started_at_ns = time.time_ns()
        call.learned = exchange.head.learned
        if exchange.arrival is not ANY_WAY:
            call.arrival = exchange.arrival
        if exchange.site is not ANY_SITE:
            call.site = exchange.site
        if exchange.client is not None:
            call.client_address = exchange.client[0]
        if exchange.certificate is not None:
            call.certificate = exchange.certificate
        if exchange.secure:
            call.secure = True
        logged_request_id.set(call.request_id)  # each request is a task, with a context of its own
        found: Operation | LinariteError = self._router.find(call, exchange.query)
        try:
            count_custom_headers(exchange.headers, self._limits.custom_headers_max)
        except LinariteError as refusal:
            found = refusal
        try:
            await self._answer(exchange, call, found)
        except asyncio.CancelledError:
            _uncancel()
            if exchange.departed:
                call.finish = "client_left"
                call.status = call.status or CLIENT_LEFT_STATUS
                call.usage = None if call.reply is None else call.reply.usage
            else:
                refuse(exchange, call, ServiceUnavailable("the server is shutting down", 5))
        finally:
            exchange.cancels = False
            self._record(call, found, clock())
        if not exchange.complete and not exchange.departed:
            # Refused while the body was still coming: the answer stays open until it has come.
            with suppress(asyncio.CancelledError):
                await discard_rest(exchange)
            exchange.end()

    def _record(self, call: Call, found: Operation | LinariteError, ended_at: float) -> None:
        if call.usage is not None and call.deployment is not None:
            call.cost_nano = self._prices.cost_of(call.usage, call.deployment, call.service_tier)
        record = record_of(call, operation=name_of(found), ended_at=ended_at)
        self._observe(record)
        if call.content is not None:
            self.content_log.add(call.content.content(record))

    async def _answer(
        self, exchange: Exchange, call: Call, found: Operation | LinariteError
    ) -> None:
        if self.tracer is not None:
            call.trace = self.tracer.begin(call.request_id, call.headers, call.started_at)
        events = serve(call, found, self.surface)
        try:
            first = await anext(events)
            call.first_event_at = time.perf_counter()
            reply: Any = call.reply  # every operation's parse has set it
            if call.deployment is not None:
                call.progress = self._journal.begin(begun_of(call, name_of(found)))
            if reply.streamed:
                await stream(exchange, call, reply, first, events)
            else:
                await fold(exchange, call, reply, first, events)
        except ClientLeft:
            call.status = CLIENT_LEFT_STATUS
            call.finish = "client_left"
        except RateLimitReached as refusal:
            refusal.told_to(name_of(found), call.api_version, v1=call.v1)
            call.limited_by = refusal.limited_by
            refuse(exchange, call, refusal)
        except (GatewayError, ModelError) as error:
            refuse(exchange, call, error)
        except StopAsyncIteration:
            refuse(exchange, call, EngineFailed("The engine gave no answer."))
        except Exception:  # SetupError too: what is wrong with settings is for the log
            log.exception("request failed", request_id=call.request_id, path=call.path)
            refuse(exchange, call, InternalError(call.request_id))
        finally:
            try:
                await events.aclose()
            except Exception:
                log.exception("request did not end well", request_id=call.request_id)


def name_of(found: Operation | LinariteError) -> str:
    """The operation's; "" where no route matched."""
    return "" if isinstance(found, LinariteError) else found.name


def priced(surface: Surface, prices: PriceBook) -> Surface:
    """The same, with what calls cost, for the limits on money."""

    def cost_of(where: Deployment | None, tier: str, usage: Usage) -> int:
        return 0 if where is None else prices.cost_of(usage, where, tier)

    return msgspec.structs.replace(surface, cost_of=cost_of)


def ramped(surface: Surface, limits: Limits) -> Surface:
    """The same, taking priority back where settings say so."""
    if not limits.priority_growth_max:
        return surface
    ramp = PriorityRamp(limits.priority_growth_max, limits.priority_growth_floor)
    return msgspec.structs.replace(surface, ramp=ramp)


async def stream(
    exchange: Exchange, call: Call, reply: Reply, first: object, events: AsyncGenerator[Any, None]
) -> None:
    """Send each event as it comes, no faster than the client takes them."""
    frame, write = reply.frame, exchange.write
    piece = frame(first)
    note(call, reply)
    begin(
        exchange,
        call,
        reply.status,
        reply.lines + header_lines(reply.headers),
        length=reply.length,
    )
    write(piece)
    exchange.cancels = True
    if exchange.departed:
        raise ClientLeft
    # Where its length was told, the client may leave with the last byte: the answer is over then.
    left = -1 if reply.length is None else reply.length - len(piece)
    if left:
        async for event in events:
            piece = frame(event)
            if piece:
                if exchange.write_paused:
                    await exchange.drain()
                note(call, reply)
                write(piece)
                left -= len(piece)
                if not left:
                    break
    settle(call, reply)
    exchange.end(reply.end())


async def fold(
    exchange: Exchange, call: Call, reply: Reply, first: object, events: AsyncGenerator[Any, None]
) -> None:
    """Send all events as one body."""
    reply.add(first)
    folded = 0
    async for event in events:
        reply.add(event)
        folded += 1
        if folded % TOLD_EVERY == 0:
            note(call, reply)
    settle(call, reply)
    lines = common_lines(call) + JSON
    if reply.headers:
        lines += header_lines(reply.headers)
    body = reply.body()
    call.status = reply.status
    exchange.respond(reply.status, lines, body)


def note(call: Call, reply: Reply) -> None:
    """Note what has been used so far, before the client is told: whoever kills us, it is known."""
    usage = reply.usage
    if usage is not None:
        call.progress.tell(usage)


def settle(call: Call, reply: Reply) -> None:
    """Note what the whole answer has used, before its end is sent."""
    usage = call.usage = reply.usage
    if usage is not None:
        call.progress.finish(usage)


def refuse(exchange: Exchange, call: Call, error: LinariteError) -> None:
    """Tell the error: as a status while that is possible, else as the stream's last event."""
    if exchange.complete:
        return
    call.error_code = error.code or ""
    call.refused_by = error.control
    if call.reply is not None:
        call.usage = call.reply.usage
    call.finish = "failed" if error.status >= InternalError.status else "refused"
    if call.content is not None:
        call.content.error = error_body(error)
    if isinstance(error, ConnectionDropped):
        call.status = call.status or error.status
        raise error  # whoever carries it closes the connection
    if exchange.began:
        call.finish = "failed"
        if call.reply is None or call.reply.lines is not STREAM_LINES:
            raise error  # no events: the connection is cut, so that nobody takes it for whole
        exchange.end(call.error_frame(error))
        return
    body = error_body(error)
    extra = [(name.encode(), header_value(value)) for name, value in error.headers.items()]
    lines = JSON + header_lines(extra)
    if not call.body.left:
        call.status = error.status
        exchange.respond(error.status, common_lines(call) + lines, body)
        return
    exchange.keep_alive = False
    begin(exchange, call, error.status, lines, length=len(body))
    exchange.write(body)


def begin(
    exchange: Exchange, call: Call, status: int, lines: bytes, *, length: int | None = None
) -> None:
    """Begin an answer in pieces, with the headers that every answer has."""
    call.status = status
    exchange.begin(status, common_lines(call) + lines, length=length)


def _uncancel() -> None:
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()
