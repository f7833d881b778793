"""One line per request that went wrong, or per request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import structlog

if TYPE_CHECKING:
    from linarite.domain.request_record import RequestRecord

AccessLogMode = Literal["off", "errors", "all"]

CLIENT_ERRORS_FROM = 400
SERVER_ERRORS_FROM = 500
CLIENT_LEFT = "client_left"

log = structlog.get_logger("linarite.access")


class AccessLog:
    """Writes records as log lines: none, refusals and failures, or all.

    Every request leaves a durable record anyway, and a line costs tens of microseconds, so
    `errors` is what servers should run with. A client that leaves is no error of ours.
    """

    def __init__(self, mode: AccessLogMode = "errors") -> None:
        self._all = mode == "all"
        self._errors = mode != "off"

    def write(self, record: RequestRecord) -> None:
        """Log the record if the mode says so; costs next to nothing if not."""
        failed = record.status >= SERVER_ERRORS_FROM or record.finish == "failed"
        refused = record.status >= CLIENT_ERRORS_FROM and record.finish != CLIENT_LEFT
        if not self._all and not (self._errors and (failed or refused)):
            return
        write = log.error if failed else log.warning if refused else log.info
        write(
            "request",
            request_id=record.request_id,
            account=record.account,
            deployment=record.deployment,
            operation=record.operation,
            method=record.method,
            path=record.path,
            status=record.status,
            error_code=record.error_code,
            finish=record.finish,
            caller_key=record.caller_key,
            client_address=record.client_address,
            duration_ms=round(record.total_us / 1000, 1),
            prompt_tokens=record.prompt_tokens,
            completion_tokens=record.completion_tokens,
        )
