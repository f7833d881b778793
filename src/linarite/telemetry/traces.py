"""Traces: a tree of spans for each request, sent to a collector.

    chat gpt-4o                      the request, from its arrival to the last byte
    ├── authorize                    network rules, who calls, what they may do
    ├── parse                        the body read and understood
    ├── reserve quota                limits
    ├── queue                        waiting for a place on the instance
    └── generate                     the engine, or an upstream
        ├── first token
        └── last token

The data path notes when parts end; spans are made of that afterwards, in a thread.
Names and attributes: https://opentelemetry.io/docs/specs/semconv/gen-ai/. Never a prompt.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from random import random
from typing import TYPE_CHECKING, NamedTuple

import structlog

from linarite.domain.trace import NOW, Trace, begun, continued, new_id
from linarite.telemetry.otlp import enveloped
from linarite.telemetry.otlp.wire import attributes, fixed_64, integer, message, octets, text
from linarite.telemetry.request_families import OPERATION_NAMES, PROVIDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.domain.request_record import RequestRecord
    from linarite.telemetry.otlp import OtlpSender
    from linarite.telemetry.otlp.wire import Scalar

log = structlog.get_logger("linarite.traces")

INTERNAL, SERVER, CLIENT = 1, 2, 3
"""kinds of spans"""
ERROR = 2
"""the status of a span"""
ERRORS_FROM, OUR_ERRORS_FROM = 400, 500
FLUSH_S = 1.0
WAITING_MAX = 5_000
"""requests whose spans are not made yet; further ones are not traced"""
STOP_S = 5.0
GENERATE = "generate"
QUEUED = "queue"
"""the part after which an engine works"""


class Ended(NamedTuple):
    """A request that is over."""

    trace: Trace
    record: RequestRecord


class Tracer:
    """`start`, then `stop` once."""

    def __init__(self, sender: OtlpSender, *, ratio: float, version: str) -> None:
        """`ratio` of the traces that begin here are sampled; continued ones say it themselves."""
        self._sender = sender
        self._ratio = ratio
        self._version = version
        self._running: dict[str, Trace] = {}
        self._ended: list[Ended] = []
        self._task: asyncio.Task[None] | None = None
        self._untraced = 0
        """requests of which no spans are made, since the last export"""

    def start(self) -> None:
        """Begin to send."""
        self._sender.start()
        self._task = asyncio.create_task(self._run(), name="traces")

    async def stop(self) -> None:
        """Send what there is."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._flush()
        await self._sender.stop(STOP_S)

    def begin(self, request_id: str, headers: Mapping[bytes, bytes], started_at: float) -> Trace:
        """The trace of a request that has just come; what it calls is told of it (`NOW`)."""
        trace = continued(headers)
        if trace is None:
            trace = begun(sampled=self._ratio >= 1 or random() < self._ratio)  # noqa: S311 - a sample
        trace.started_at = started_at
        NOW.set(trace)
        if trace.sampled:
            self._running[request_id] = trace
        return trace

    def observe(self, record: RequestRecord) -> None:
        """Take the record of a request that is over."""
        trace = self._running.pop(record.request_id, None)
        if trace is None:
            return
        if len(self._ended) >= WAITING_MAX:
            self._untraced += 1
            return
        self._ended.append(Ended(trace, record))

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self._flush()
            except Exception:
                log.exception("traces not sent by our own fault")

    async def _flush(self) -> None:
        if self._ended:
            ended, self._ended = self._ended, []
            if self._untraced:
                log.warning("requests not traced: too many ended at once", count=self._untraced)
                self._untraced = 0
            body = await asyncio.to_thread(body_of, ended, self._version)
            self._sender.offer("/v1/traces", body)


def body_of(ended: list[Ended], version: str) -> bytes:
    """The export of these requests' spans."""
    spans = [span for each in ended for span in _spans(each)]
    return enveloped(spans, {"service.name": "linarite"}, version=version)


def _spans(ended: Ended) -> list[bytes]:
    """The tree of a request."""
    trace, record = ended
    tree, own = Tree(trace), trace.span_id
    begin_ns = record.started_at_ns
    end_ns = begin_ns + record.total_us * 1_000
    offset_ns = begin_ns - round(trace.started_at * 1e9)
    operation = OPERATION_NAMES.get(record.operation, record.operation)
    name = f"{operation} {record.deployment}".strip() or record.method
    failed = record.finish == "failed"
    root = _described(name, SERVER) + attributes(9, _of_request(record, operation))
    broken = failed or record.status >= OUR_ERRORS_FROM
    tree.add(own, trace.parent_id, begin_ns, end_ns, root + _status(failed=broken))
    before_ns = begin_ns
    for part, moment in trace.marks:
        ended_ns = offset_ns + round(moment * 1e9)
        tree.add(new_id(64), own, before_ns, ended_ns, _described(part))
        before_ns = ended_ns
    if not trace.marks or trace.marks[-1][0] != QUEUED:
        return tree.messages
    engine = trace.generation_id
    kind = CLIENT if record.engine == "upstream" else INTERNAL
    said = _described(GENERATE, kind) + attributes(9, _of_engine(record, operation))
    tree.add(engine, own, before_ns, end_ns, said + _status(failed=failed))
    if record.to_first_token_us:
        first_ns = begin_ns + record.to_first_token_us * 1_000
        tree.add(new_id(64), engine, before_ns, first_ns, _described("first token"))
        tree.add(new_id(64), engine, first_ns, end_ns, _described("last token"))
    return tree.messages


class Tree:
    """The spans of one trace, as messages."""

    def __init__(self, trace: Trace) -> None:
        self._shared = octets(1, bytes.fromhex(trace.trace_id)) + text(3, trace.state)
        self.messages: list[bytes] = []

    def add(self, own: str, parent: str, begin_ns: int, end_ns: int, described: bytes) -> None:
        """A span, by its id and its parent's; `described` are its other fields."""
        ids = octets(2, bytes.fromhex(own)) + octets(4, bytes.fromhex(parent))
        times = fixed_64(7, begin_ns) + fixed_64(8, end_ns)
        self.messages.append(self._shared + ids + times + described)


@lru_cache(maxsize=1_000)
def _described(name: str, kind: int = INTERNAL) -> bytes:
    """What spans of a name have in common; there are few names."""
    return text(5, name) + integer(6, kind)


def _status(*, failed: bool) -> bytes:
    return message(15, integer(3, ERROR)) if failed else b""


def _of_request(record: RequestRecord, operation: str) -> dict[str, Scalar]:
    said: dict[str, Scalar] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.request.model": record.deployment,
        "gen_ai.response.model": record.model,
        "gen_ai.usage.input_tokens": record.prompt_tokens,
        "gen_ai.usage.output_tokens": record.completion_tokens,
        "http.request.method": record.method,
        "url.path": record.path,
        "http.response.status_code": record.status,
        "azure.client.id": record.app_id,
        "azure.service.request.id": record.request_id,
        "cloud.resource_id": record.account_id,
        "cloud.region": record.region,
        "linarite.finish": record.finish,
        "linarite.refused_by": record.refused_by,
        "linarite.limited_by": record.limited_by,
    }
    if record.status >= ERRORS_FROM:
        said["error.type"] = record.error_code or str(record.status)
    return {name: value for name, value in said.items() if value != ""}


def _of_engine(record: RequestRecord, operation: str) -> dict[str, Scalar]:
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.request.model": record.model,
        "linarite.engine": record.engine,
        "linarite.instance": record.instance,
    }
