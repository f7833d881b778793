"""Sending a request: admission by the breaker, tries, waits, and what the answer's status means."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from linarite.domain.dial import Errand
from linarite.domain.engine import ON_BEHALF_OF
from linarite.domain.errors import (
    EgressRefused,
    LinariteError,
    ServiceUnavailable,
    TooManyRequests,
)
from linarite.domain.network_errors import OutboundAccessDenied
from linarite.domain.trace import NOW
from linarite.engines.http_client import DeadlinePassed, HttpClientError
from linarite.engines.upstream.breaker import Breaker, Cause
from linarite.engines.upstream.refusals import (
    OURS,
    connection_failure,
    error_object,
    not_set_up,
    refusal,
)
from linarite.engines.upstream.retry import back_off_s, retry_after_s, spread_s

if TYPE_CHECKING:
    from linarite.domain.dial import Dialer
    from linarite.engines.http_client import HttpClient, RequestHead, Response
    from linarite.engines.upstream.credentials import Credentials
    from linarite.engines.upstream.endpoint import Endpoint, Operation
    from linarite.engines.upstream.options import UpstreamOptions

log = structlog.get_logger("linarite.upstream")

_OK, _UNAUTHORIZED, _TIMEOUT, _TOO_MANY, _SERVER_ERROR, _UNAVAILABLE = 200, 401, 408, 429, 500, 503
_ERROR_BYTES_MAX = 64 * 1024


OF_ACCOUNT = frozenset(("allowedFqdnList", "perimeter"))
"""rules of accounts' owners"""


def errand_now() -> Errand:
    """For whom the request is that is being served."""
    return Errand("upstream", ON_BEHALF_OF.get())


class Setback(msgspec.Struct, frozen=True):
    """A try that brought no answer."""

    error: LinariteError
    """what the caller is told if it was the last"""
    may_retry: bool
    wait_s: float | None = None
    """None: as long as we think right"""


class UpstreamCalls:
    """Calls the upstream until it answers, or until there is no more point in it."""

    def __init__(
        self,
        instance: str,
        options: UpstreamOptions,
        client: HttpClient,
        endpoint: Endpoint,
        credentials: Credentials,
        dialer: Dialer,
    ) -> None:
        self._options = options
        self._client = client
        self._endpoint = endpoint
        self._credentials = credentials
        self._dialer = dialer
        self._clock = time.monotonic
        self._breaker = Breaker(options.breaker_failures, options.breaker_open_s, self._clock)
        self._log = log.bind(instance=instance)
        self._stopped = False
        self._headers: tuple[tuple[str, str], ...] = ()
        self._heads: dict[Operation, RequestHead] = {}

    async def post(self, operation: Operation, body: bytes) -> Response:
        """The answer, with status 200, as soon as its head is there; its body is the caller's.

        Tries again only as long as nothing of a success has been received. Raises
        UpstreamRefused, TooManyRequests, ServiceUnavailable, RequestTimedOut and EngineFailed.
        """
        first_byte_s = self._options.first_byte_s
        give_up_at = self._clock() + first_byte_s
        attempt = 0
        while True:
            blocked = self._breaker.admit()
            if blocked is not None:
                setback = _kept_away(blocked.cause, blocked.wait_s)
            else:
                try:
                    self._require_way_out()
                    response = await self._client.send_prepared(
                        self._head(operation),
                        body,
                        first_byte_s=first_byte_s,
                        idle_s=self._options.idle_s,
                    )
                except HttpClientError as error:
                    setback = self._unreached(error)
                except EgressRefused as refused:
                    raise self._not_allowed(refused) from None
                else:
                    if response.status == _OK:
                        self._answered()
                        return response
                    setback = await self._refused(response)
            await self._pause(setback, attempt, give_up_at)
            attempt += 1
            first_byte_s = give_up_at - self._clock()

    def stop(self) -> None:
        """Try nothing again from now on."""
        self._stopped = True

    def _require_way_out(self) -> None:
        """The connection that is free may have been made for another account, or long ago."""
        target = self._endpoint.target
        self._dialer.require(target.host, target.port, errand_now())

    def _not_allowed(self, refused: EgressRefused) -> LinariteError:
        """What the account's owner can change is told to the caller, what only we can is not."""
        self._log.error("upstream not allowed", why=refused.message)
        if refused.rule in OF_ACCOUNT:
            return OutboundAccessDenied(refused.message)
        return not_set_up()

    def _head(self, operation: Operation) -> RequestHead:
        """The request but for its body; made again when the credentials have changed."""
        headers = self._endpoint.headers()
        if headers is not self._headers:
            self._headers, self._heads = headers, {}
        head = self._heads.get(operation)
        if head is None:
            path = self._endpoint.path(operation)
            head = self._heads[operation] = self._client.prepare("POST", path, headers)
        trace = NOW.get()
        return head if trace is None else head.with_lines(trace.onward())

    async def _pause(self, setback: Setback, attempt: int, give_up_at: float) -> None:
        """Wait until it makes sense to try again. Raises the setback's error if it never does."""
        luck = random.random()  # noqa: S311 - only spreads load
        asked = setback.wait_s
        wait_s = back_off_s(attempt, luck) if asked is None else spread_s(asked, luck)
        if (
            not setback.may_retry
            or self._stopped
            or attempt >= self._options.retries
            or (asked or 0.0) > self._options.retry_after_s_max
            or self._clock() + wait_s >= give_up_at
        ):
            raise setback.error
        await asyncio.sleep(wait_s)

    def _unreached(self, error: HttpClientError) -> Setback:
        cause = error.__cause__
        self._failed(why=f"{error.message} {cause}" if cause else error.message)
        shown = connection_failure(error, yielded_any=False)
        # Who has waited for as long as settings allow is not made to wait again.
        return Setback(shown, may_retry=not isinstance(error, DeadlinePassed))

    async def _refused(self, response: Response) -> Setback:
        status, headers = response.status, response.headers
        error = await self._error_of(response)
        asked_wait_s = retry_after_s(headers, time.time())
        if status >= _SERVER_ERROR:
            self._failed(why=f"status {status}")
        else:
            self._answered()
        if status in (_TOO_MANY, _UNAVAILABLE) and asked_wait_s:
            cause = Cause.THROTTLING if status == _TOO_MANY else Cause.BUSY
            pause_s = min(asked_wait_s, self._options.breaker_open_s_max)
            self._breaker.told_to_wait(cause, pause_s)
            self._log.warning("upstream wants a pause", status=status, pause_s=pause_s)
        shown = refusal(status, headers, error, asked_wait_s)
        if status in OURS or status < 400:  # noqa: PLR2004 - redirects are not followed
            return self._misconfigured(status, shown)
        may_retry = status in (_TIMEOUT, _TOO_MANY) or status >= _SERVER_ERROR
        if headers.get("x-should-retry") == "false":
            may_retry = False
        return Setback(shown, may_retry=may_retry, wait_s=asked_wait_s)

    def _misconfigured(self, status: int, shown: LinariteError) -> Setback:
        """Our key, path or model name is wrong: say so where the operator looks."""
        if status == _UNAUTHORIZED and self._credentials.renew():
            return Setback(shown, may_retry=True, wait_s=0.0)
        setting = self._credentials.setting
        prefix, _, _ = setting.rpartition(".")
        checks = {401: setting, 403: setting, 404: f"{prefix}.model and {prefix}.base_url"}
        self._log.error(
            "upstream refuses our set-up",
            status=status,
            check=checks.get(status, f"{prefix}.base_url"),
        )
        return Setback(shown, may_retry=False)

    async def _error_of(self, response: Response) -> dict[str, Any]:
        try:
            body = await response.read(_ERROR_BYTES_MAX)
        except HttpClientError:
            body = b""
        text = body.decode("utf-8", "replace")
        return error_object(self._credentials.hide_in(text).encode())

    def _answered(self) -> None:
        breaker = self._breaker
        if breaker.is_troubled and breaker.succeeded():
            self._log.info("upstream answers again")

    def _failed(self, *, why: str) -> None:
        if self._breaker.failed():
            self._log.warning("upstream left alone", why=why, for_s=self._options.breaker_open_s)
        else:
            self._log.info("upstream failed", why=why)


def _kept_away(cause: Cause, wait_s: float) -> Setback:
    """What a request is told while the circuit is open; a short pause it may sit out."""
    if cause is Cause.THROTTLING:
        error: LinariteError = TooManyRequests(
            "The upstream of this deployment has exceeded its rate limit. Please retry after "
            f"{max(1, round(wait_s + 0.499))} seconds.",
            wait_s,
        )
    else:
        reason = "fails" if cause is Cause.FAILING else "is busy"
        error = ServiceUnavailable(f"the upstream of this deployment {reason}", wait_s)
    return Setback(error, may_retry=cause is not Cause.FAILING, wait_s=wait_s)
