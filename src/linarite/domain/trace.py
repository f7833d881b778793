"""A request's trace: whom it continues, what its parts are called, and when each of them ended.

Source: https://www.w3.org/TR/trace-context/ (version 00).
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from random import getrandbits
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    rb"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
NO_TRACE, NO_SPAN = b"0" * 32, b"0" * 16
STATE_CHARACTERS_MAX = 512
PRINTABLE = re.compile(rb"[\x20-\x7e]*")
SAMPLED = 1


class Trace:
    """One request's. `mark` is called when a part has ended."""

    __slots__ = (
        *("generation_id", "marks", "parent_id", "sampled", "span_id", "started_at", "state"),
        "trace_id",
    )

    def __init__(self, trace_id: str, parent_id: str, state: str, *, sampled: bool) -> None:
        """`parent_id` is "" for one that begins here."""
        self.trace_id = trace_id
        self.parent_id = parent_id
        self.state = state
        self.sampled = sampled
        self.span_id = new_id(64)
        self.generation_id = new_id(64)
        """of the part in which an engine works: what an upstream's spans hang on"""
        self.started_at = 0.0
        """of `time.perf_counter`"""
        self.marks: list[tuple[str, float]] = []
        """parts in their order, with when each ended (`time.perf_counter`)"""

    def mark(self, part: str) -> None:
        """A part has ended just now; the next one begins."""
        if self.sampled:
            self.marks.append((part, perf_counter()))

    def onward(self) -> str:
        """The header lines that a server which is asked for this request gets."""
        parent = f"00-{self.trace_id}-{self.generation_id}-0{int(self.sampled)}"
        state = f"tracestate: {self.state}\r\n" if self.state else ""
        return f"traceparent: {parent}\r\n{state}"


NOW: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""that of the request which is being served; None where nobody traces"""


def continued(headers: Mapping[bytes, bytes]) -> Trace | None:
    """The trace that a request's headers continue; None where they name none that is valid."""
    found = TRACEPARENT.fullmatch(headers.get(b"traceparent", b""))
    if found is None or found["trace"] == NO_TRACE or found["span"] == NO_SPAN:
        return None
    if found["version"] == b"00" and found["more"]:
        return None
    state = headers.get(b"tracestate", b"").strip()
    fits = len(state) <= STATE_CHARACTERS_MAX and PRINTABLE.fullmatch(state)
    return Trace(
        found["trace"].decode(),
        found["span"].decode(),
        state.decode() if fits else "",
        sampled=bool(int(found["flags"], 16) & SAMPLED),
    )


def begun(*, sampled: bool) -> Trace:
    """A trace that begins here."""
    return Trace(new_id(128), "", "", sampled=sampled)


def new_id(bits: int) -> str:
    """Random, in hexadecimal, and never zero."""
    return f"{getrandbits(bits) or 1:0{bits // 4}x}"
