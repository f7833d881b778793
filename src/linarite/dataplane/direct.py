"""Calls without HTTP: a line of a batch goes the way of every request.

The account's facts, the caller's rights, limits, the queue of the instance, the engine, metering
and the record are those of `pipeline.serve`; what is left out is what belongs to a connection.
"""

from __future__ import annotations

import math
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from linarite.dataplane.batch_door import let_in_again
from linarite.dataplane.call import Call
from linarite.dataplane.http import CLIENT_LEFT_STATUS, name_of, note, settle
from linarite.dataplane.pipeline import serve
from linarite.dataplane.record import begun_of, record_of
from linarite.domain.batch_errors import AccountGone
from linarite.domain.content_log import NO_CONTENT_LOG
from linarite.domain.customer_keys import CustomerKeyUnavailable
from linarite.domain.errors import (
    EngineFailed,
    InternalError,
    LinariteError,
    SetupError,
)
from linarite.domain.quota_errors import RateLimitReached
from linarite.telemetry.logs import request_id as logged_request_id
from linarite.web.error_envelope import error_body
from linarite.web.ids import new_guid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from linarite.dataplane.call import Operation
    from linarite.dataplane.pipeline import Surface
    from linarite.dataplane.router import OperationFinder
    from linarite.domain.content_log import ContentSink
    from linarite.domain.price_book import PriceBook
    from linarite.domain.principal import Principal
    from linarite.domain.request_record import RequestRecord
    from linarite.domain.usage import Usage
    from linarite.domain.usage_journal import UsageJournal

log = structlog.get_logger("linarite.dataplane")

BUSY = frozenset(
    (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
)
"""refusals that pass by themselves"""
_AGENTS = {True: b"linarite batch", False: b"linarite background"}
WAIT_S = 5.0
"""where a refusal does not say how long"""


class DirectRequest(NamedTuple):
    """What is asked, for whom."""

    account_id: str
    maker: Principal
    """for whom; let in when he asked, and looked at again with each call"""
    endpoint: str
    """as `/chat/completions`"""
    body: bytes
    project: str = ""
    client_request_id: str = ""
    in_batch: bool = True
    """a line of a batch; else a response in the background"""


class DirectAnswer(NamedTuple):
    """What came of it."""

    status: int
    request_id: str
    body: bytes
    """JSON"""
    usage: Usage | None


class Busy(Exception):
    """Nobody could answer now; the request may come again.

    It leaves no record, unless an engine had begun with it.
    """

    def __init__(self, wait_s: float, reason: str) -> None:
        """After how many seconds, and why."""
        super().__init__(reason)
        self.wait_s = wait_s


class DirectCalls:
    """Answers calls that come by no connection."""

    def __init__(
        self,
        router: OperationFinder,
        surface: Surface,
        observe: Callable[[RequestRecord], None],
        prices: PriceBook,
        journal: UsageJournal,
    ) -> None:
        """All as the data plane has them; its `surface`, so that what it counts is counted once."""
        self._router = router
        self._surface = surface
        self._observe = observe
        self._prices = prices
        self._journal = journal
        self.content_log: ContentSink = NO_CONTENT_LOG
        """takes what was asked and answered, of accounts that have it kept"""

    async def answer(
        self, asked: DirectRequest, operation: Operation | None = None
    ) -> DirectAnswer:
        """The answer, a refusal or a failure too. Raises Busy, AccountGone.

        The body asks for no stream. `operation` stands for the endpoint's own.
        """
        call = _call(asked)
        logged_request_id.set(call.request_id)
        found: Operation | LinariteError = operation or self._router.find(call, b"")
        try:
            body = await self._folded(call, found)
        except AccountGone:
            raise
        except LinariteError as refusal:
            wait_s = wait_of(refusal)
            if wait_s is not None:
                if call.first_event_at:  # what it has used by then is not forgotten
                    _refused(call, refusal, name_of(found))
                    self._record(call, found)
                raise Busy(wait_s, refusal.message) from None
            body = _refused(call, refusal, name_of(found))
        except Exception:
            log.exception("request failed", request_id=call.request_id)
            body = _refused(call, InternalError(call.request_id), name_of(found))
        except BaseException:  # the server stops
            call.status, call.finish = CLIENT_LEFT_STATUS, "client_left"
            call.usage = call.reply.usage if call.reply is not None else None
            self._record(call, found)
            raise
        self._record(call, found)
        return DirectAnswer(call.status, call.request_id, body, call.usage)

    def require(self, account_id: str, caller: Principal, endpoint: str) -> None:
        """Raise as the endpoint would where the caller may not call it now. Raises AccountGone."""
        call = _call(DirectRequest(account_id, caller, endpoint, b"", in_batch=False))
        let_in_again(call, self._router.find(call, b""), self._surface)

    async def _folded(self, call: Call, found: Operation | LinariteError) -> bytes:
        events = serve(call, found, self._surface)
        try:
            try:
                first = await anext(events)
            except StopAsyncIteration:
                raise EngineFailed("The engine gave no answer.") from None
            call.first_event_at = time.perf_counter()
            if call.deployment is not None:
                call.progress = self._journal.begin(begun_of(call, name_of(found)))
            reply: Any = call.reply  # every operation's parse has set it
            reply.add(first)
            note(call, reply)
            async for event in events:
                reply.add(event)
            settle(call, reply)
            call.status = reply.status
            return reply.body()
        finally:
            await events.aclose()

    def _record(self, call: Call, found: Operation | LinariteError) -> None:
        if call.usage is not None and call.deployment is not None:
            call.cost_nano = self._prices.cost_of(call.usage, call.deployment, call.service_tier)
        record = record_of(call, operation=name_of(found), ended_at=time.perf_counter())
        self._observe(record)
        if call.content is not None:
            self.content_log.add(call.content.content(record))


class _HeldBody:
    """A body that is there."""

    __slots__ = ("_body",)
    left = False

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        """It."""
        return self._body

    async def pieces(self) -> AsyncIterator[bytes]:
        """It, in one."""
        yield self._body


def wait_of(refusal: LinariteError) -> float | None:
    """After how many seconds the same may go well; None where waiting does not help."""
    if isinstance(refusal, RateLimitReached):
        wait_s = refusal.refused.wait_s
        return None if math.isinf(wait_s) else wait_s
    if isinstance(refusal, CustomerKeyUnavailable):
        return WAIT_S
    if refusal.status not in BUSY:
        return None
    told = refusal.headers.get("retry-after-ms")
    if told is not None and told.isdecimal():
        return int(told) / 1000
    told = refusal.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else WAIT_S


def _call(asked: DirectRequest) -> Call:
    headers: dict[bytes, bytes] = {b"user-agent": _AGENTS[asked.in_batch]}
    if asked.project:
        headers[b"openai-project"] = asked.project.encode("latin-1", "replace")
    if asked.client_request_id:
        headers[b"x-ms-client-request-id"] = asked.client_request_id.encode()
    call = Call(
        method="POST",
        path=f"/openai/v1{asked.endpoint}",
        headers=headers,
        request_id=new_guid(),
        started_at=time.perf_counter(),
        body=_HeldBody(asked.body),
    )
    call.started_at_ns = time.time_ns()
    call.account_id = asked.account_id
    call.maker = asked.maker
    call.in_batch = asked.in_batch
    return call


def _refused(call: Call, error: LinariteError, operation: str) -> bytes:
    if isinstance(error, SetupError):  # what is wrong with settings is for the log
        log.error("request failed", request_id=call.request_id, reason=error.message)
        error = InternalError(call.request_id)
    if isinstance(error, RateLimitReached):
        error.told_to(operation, call.api_version, v1=True)
        call.limited_by = error.limited_by
    call.status = error.status
    call.error_code = error.code or ""
    call.refused_by = error.control
    if call.reply is not None:
        call.usage = call.reply.usage
    call.finish = "failed" if error.status >= InternalError.status else "refused"
    body = error_body(error)
    if call.content is not None:
        call.content.error = body
    return body
