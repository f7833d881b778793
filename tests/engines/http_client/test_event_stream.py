"""Server-sent events: any cut of the bytes gives the same events, and the right ones."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.engines.http_client import BodyTooLong, EventParser, ServerEvent

LIMIT = 1 << 20


def parsed(*pieces: bytes) -> list[ServerEvent]:
    """All events of a body that came in these pieces and ended cleanly."""
    parser = EventParser(LIMIT)
    events = [event for piece in pieces for event in parser.feed(piece)]
    return events + parser.finish()


def plainly_parsed(body: bytes) -> list[ServerEvent]:
    """The same after the letter of the standard, written for the eye instead of for speed."""
    text = body.removeprefix(b"\xef\xbb\xbf")
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    events: list[ServerEvent] = []
    name, data = b"", []
    for line in [*lines, b""]:
        if line == b"":
            if data:
                events.append(ServerEvent(name, b"\n".join(data)))
            name, data = b"", []
        elif not line.startswith(b":"):
            field, _, value = line.partition(b":")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
    return events


def pieces_of(body: bytes, cuts: list[int]) -> list[bytes]:
    """Cut a body at these places."""
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in pairwise(places)]


lines = st.sampled_from(
    [
        b'data: {"a":1}',
        b"data: [DONE]",
        b"data:x",
        b"data",
        b"data:",
        b"data:  two spaces",
        b"event: error",
        b"event:",
        b"id: 7",
        b"retry: 10",
        b": keep-alive",
        b":",
        b"dat: near miss",
        "data: \u00fc\ufeff".encode(),
        b"",
        b"",
    ]
)
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\r"])
bodies = st.builds(
    lambda mark, parts, tail: mark + b"".join(line + end for line, end in parts) + tail,
    st.sampled_from([b"", b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(lines, ends), max_size=12),
    st.sampled_from([b"", b"data: cut", b"\xef\xbb\xbf", b"event: e"]),
)


@given(bodies, st.lists(st.integers(0, 500), max_size=8))
def test_cuts_do_not_matter(body: bytes, cuts: list[int]) -> None:
    """However a body is cut, its events are those that the standard describes."""
    assert parsed(*pieces_of(body, cuts)) == plainly_parsed(body)


@given(st.binary(max_size=200), st.lists(st.integers(0, 500), max_size=5))
def test_any_bytes_are_taken(body: bytes, cuts: list[int]) -> None:
    """No bytes whatsoever confuse the parser."""
    assert parsed(*pieces_of(body, cuts)) == plainly_parsed(body)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_boundary(end: bytes) -> None:
    """Two events cut at every single place, and into single bytes, stay the same two events."""
    body = end.join(
        [b"\xef\xbb\xbfevent: error", b"data: a", b"data: b", b"", b":c", b"data:d", b"", b""]
    )
    expected = [ServerEvent(b"error", b"a\nb"), ServerEvent(b"", b"d")]
    assert parsed(body) == expected
    assert parsed(*[body[index : index + 1] for index in range(len(body))]) == expected
    for cut in range(len(body) + 1):
        assert parsed(body[:cut], body[cut:]) == expected


def test_events_come_as_soon_as_they_are_whole() -> None:
    """An event is given back with the bytes that end it, not later."""
    parser = EventParser(LIMIT)
    assert parser.feed(b"data: a\n\ndata: b\n\ndata: c") == [(b"", b"a"), (b"", b"b")]
    assert parser.feed(b"\n") == []
    assert parser.feed(b"\n") == [(b"", b"c")]
    assert parser.feed(b"data: d\r\n\r") == [(b"", b"d")]
    assert parser.feed(b"\ndata: e\n\n") == [(b"", b"e")]


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + b"x" * 20 + b"\n\n"],
        [b"data: xxxxxx\n", b"data: xxxxxx\n"],
        [b"x" * 6, b"x" * 6],
        [b": " + b"x" * 20],
        [b"data: a\n\n", b"data: " + b"x" * 20],
    ],
    ids=["one line", "many lines", "no line end", "comment", "later event"],
)
def test_an_event_has_a_longest(pieces: list[bytes]) -> None:
    """More than the limit in one event or line raises instead of growing."""
    parser = EventParser(10)
    *harmless, last = pieces
    for piece in harmless:
        parser.feed(piece)
    with pytest.raises(BodyTooLong):
        parser.feed(last)


def test_many_events_may_exceed_the_limit_of_one() -> None:
    """The limit is for one event; a large read may hold many."""
    parser = EventParser(10)
    assert len(parser.feed(b"data: 12345\n\n" * 100)) == 100
    assert len(parser.feed(b"data: 12345\r\n\r\n" * 100)) == 100
