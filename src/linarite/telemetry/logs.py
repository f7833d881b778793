"""Logs: structlog and the standard library's loggers, through one handler to one stream."""

from __future__ import annotations

import logging
import sys
import traceback
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, TextIO, cast

import msgspec
import structlog
from structlog.stdlib import ProcessorFormatter

from linarite.domain.errors import GatewayError, SetupError
from linarite.telemetry.log_fields import LOG_FIELDS
from linarite.telemetry.masking import plain, plain_traceback

if TYPE_CHECKING:
    from structlog.types import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Set it once per request (50 ns): every line that is logged meanwhile carries it."""

CHATTY = ("aiosqlite", "sqlalchemy", "alembic", "uvicorn.access", "asyncio")
"""Loggers that are heard from a warning on, at every level: below it they log what they carry."""

OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")

LEADING = ("timestamp", "level", "logger", "event", "request_id")
"""the order in which a line begins"""

SHOWN_MESSAGES = (SetupError, GatewayError, OSError, ImportError, AttributeError, NameError)
"""Exceptions whose text is made of settings, paths and names in code. Any other's may quote what
a caller sent: of those the type and the place are logged, and the text only at level debug."""


def configure_logs(log_format: LogFormat, level: LogLevel, stream: TextIO) -> None:
    """Send every log line of the process to `stream`, once; calling again changes it.

    `auto` is `console` on a terminal and `json` elsewhere. Colour only on a terminal. At level
    `debug` a line may quote what a caller sent; above it, none does.
    """
    terminal = stream.isatty()
    console = log_format == "console" or (log_format == "auto" and terminal)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    before: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_request_id,
        _add_exception_with_messages if level == "debug" else _add_exception,
        structlog.processors.TimeStamper(
            fmt="%Y-%m-%d %H:%M:%S" if console else "iso", utc=not console
        ),
    ]
    structlog.configure(
        processors=[*before, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    render = structlog.dev.ConsoleRenderer(colors=terminal) if console else _as_json
    handler = _Handler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[ProcessorFormatter.remove_processors_meta, _let_through, render],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if isinstance(old, _Handler):
            root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(threshold)
    for name in OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(capture=True)


class _Handler(logging.StreamHandler[TextIO]):
    """Where lines go. A stream that refuses (a closed pipe) must not become an error elsewhere."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Do nothing: the standard answer would print the record's raw arguments."""


def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current:
        event.setdefault("request_id", current)
    return event


def _add_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return _with_exception(event, messages=False)


def _add_exception_with_messages(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> EventDict:
    return _with_exception(event, messages=True)


def _with_exception(event: EventDict, *, messages: bool) -> EventDict:
    """Replace `exc_info`, in any form that logging takes it, by text under `exception`."""
    given: object = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = cast("tuple[object, ...]", given)[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    if isinstance(given, BaseException):
        event["exception"] = "\n".join(_described(given, messages=messages))
    return event


def _described(error: BaseException, *, messages: bool) -> list[str]:
    """The chain of causes, each with its frames, the oldest first, as Python prints it."""
    lines: list[str] = []
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if origin is not None:
        lines += [*_described(origin, messages=messages), "which led to:"]
    lines += [frame.rstrip() for frame in traceback.format_tb(error.__traceback__)]
    shown = messages or isinstance(error, SHOWN_MESSAGES)
    lines.append(f"{type(error).__name__}: {error if shown else '[text withheld]'}")
    if isinstance(error, BaseExceptionGroup):
        for member in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            inner = _described(member, messages=messages)
            lines += [f"  | {line}" for block in inner for line in block.splitlines()]
    return lines


def _let_through(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Only fields that are known, only values that are masked."""
    exception = event.pop("exception", None)
    names = (*LEADING, *(name for name in event if name not in LEADING))
    known = {name: plain(event[name]) for name in names if name in event and name in LOG_FIELDS}
    dropped = sorted(event.keys() - known.keys())
    if dropped:
        known["fields_dropped"] = [plain(name) for name in dropped]
    if exception is not None:
        known["exception"] = plain_traceback(exception)
    return known


def _as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return msgspec.json.encode(event).decode()
