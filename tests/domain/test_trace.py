"""W3C's context: what is continued, and what goes on."""

from __future__ import annotations

import pytest

from linarite.domain.trace import begun, continued

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_trace_is_continued() -> None:
    """With its state, and with a span of its own for whoever is called."""
    trace = continued({b"traceparent": GOOD.encode(), b"tracestate": b"a=1,b=2"})
    assert trace is not None
    assert (trace.trace_id, trace.parent_id, trace.sampled) == (TRACE, SPAN, True)
    assert trace.onward() == (
        f"traceparent: 00-{TRACE}-{trace.generation_id}-01\r\ntracestate: a=1,b=2\r\n"
    )
    assert len({trace.span_id, trace.generation_id, SPAN}) == 3


def test_who_is_not_sampled_notes_nothing() -> None:
    """And says so to whom it calls."""
    trace = continued({b"traceparent": f"00-{TRACE}-{SPAN}-00".encode()})
    assert trace is not None
    trace.mark("authorize")
    assert trace.marks == []
    assert trace.onward() == f"traceparent: 00-{TRACE}-{trace.generation_id}-00\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_no_context_is_ignored(sent: str) -> None:
    """As the recommendation asks."""
    assert continued({b"traceparent": sent.encode()}) is None


def test_a_later_version_may_say_more() -> None:
    """Its beginning is read as this version's."""
    assert continued({b"traceparent": f"01-{TRACE}-{SPAN}-01-more".encode()}) is not None


@pytest.mark.parametrize("state", [b"a=" + b"x" * 600, b"a=\r\nx-evil: 1", b"a=\xff"])
def test_a_state_that_does_not_fit_is_dropped(state: bytes) -> None:
    """The trace goes on without it; no header can be smuggled in."""
    trace = continued({b"traceparent": GOOD.encode(), b"tracestate": state})
    assert trace is not None
    assert trace.state == ""


def test_ids_are_never_zero_and_never_the_same() -> None:
    """Of traces that begin here."""
    traces = [begun(sampled=True) for _ in range(100)]
    assert len({each.trace_id for each in traces}) == 100
    assert all(len(each.trace_id) == 32 and len(each.span_id) == 16 for each in traces)
