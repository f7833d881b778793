"""Server-sent events, taken apart as they arrive.

Follows the event stream interpretation of the WHATWG HTML standard, with one leniency: an event
that the clean end of the body cuts short of its blank line still counts, as SDKs read it.
"""

from __future__ import annotations

from typing import NamedTuple

from linarite.engines.http_client.errors import BodyTooLong

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EVENT_START = b"data: "
_EVENT_END = b"\n\n"


class ServerEvent(NamedTuple):
    """One event: its name (b"" when it has none) and its data lines joined by a line feed."""

    name: bytes
    data: bytes


class EventParser:
    """Feed it bytes in any pieces; it gives back whole events.

    Raises BodyTooLong when one event exceeds `event_bytes_max`.
    """

    __slots__ = (
        "_at_boundary",
        "_at_start",
        "_data",
        "_event_bytes",
        "_limit",
        "_line_bytes",
        "_line_pieces",
        "_name",
        "_swallow_line_feed",
    )

    def __init__(self, event_bytes_max: int) -> None:
        self._limit = event_bytes_max
        self._at_start = True
        self._at_boundary = True
        """between two events, with nothing kept: the fast way may be taken"""
        self._swallow_line_feed = False
        """the last piece ended in CR, which ended the line; an LF now belongs to it"""
        self._line_pieces: list[bytes] = []
        self._line_bytes = 0
        self._data: list[bytes] = []
        self._name = b""
        self._event_bytes = 0

    def feed(self, piece: bytes) -> list[ServerEvent]:
        """Take the next bytes and return the events they complete."""
        if self._at_boundary and piece.startswith(_EVENT_START) and piece.endswith(_EVENT_END):
            payloads = piece[6:-2].split(b"\n\ndata: ")
            # As every model server writes it: one data line an event and LF line ends. Any other
            # line in there would show as a surplus line feed, a carriage return anyhow.
            if piece.count(b"\n") == 2 * len(payloads) and b"\r" not in piece:
                self._at_start = False
                if len(piece) <= self._limit:
                    return [ServerEvent(b"", payload) for payload in payloads]
                return [self._bounded(payload) for payload in payloads]
        return self._feed_lines(piece)

    def finish(self) -> list[ServerEvent]:
        """The body ended cleanly: return the event that lacked only its blank line, if any."""
        return self._feed_lines(b"\n\n") if not self._at_boundary else []

    def _bounded(self, payload: bytes) -> ServerEvent:
        if len(payload) > self._limit:
            raise BodyTooLong(self._limit)
        return ServerEvent(b"", payload)

    def _feed_lines(self, piece: bytes) -> list[ServerEvent]:
        lines = self._complete_lines(piece)
        events: list[ServerEvent] = []
        for line in lines:
            if line:
                self._take_field(line)
            elif (event := self._dispatch()) is not None:
                events.append(event)
        self._at_boundary = not (
            self._at_start
            or self._swallow_line_feed
            or self._line_pieces
            or self._data
            or self._name
        )
        return events

    def _complete_lines(self, piece: bytes) -> list[bytes]:
        """Return the lines that `piece` ends, and keep what begins the next one."""
        if self._swallow_line_feed and piece:
            piece = piece.removeprefix(b"\n")
            self._swallow_line_feed = False
        if not piece:
            return []
        self._swallow_line_feed = piece.endswith(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._line_pieces.append(piece)
        self._line_bytes += len(piece)
        if b"\n" not in piece:
            if self._line_bytes > self._limit:
                raise BodyTooLong(self._limit)
            return []
        lines = b"".join(self._line_pieces).split(b"\n")
        rest = lines.pop()
        self._line_pieces = [rest] if rest else []
        self._line_bytes = len(rest)
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BYTE_ORDER_MARK)
        return lines

    def _take_field(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._event_bytes += len(value) + 1
            if self._event_bytes > self._limit:
                raise BodyTooLong(self._limit)
        elif field == b"event":
            self._name = value
        # A comment has an empty field name. `id` and `retry` serve reconnecting, which we do not.

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._event_bytes = b"", [], 0
        # Without a data line there is no event, whatever its name.
        return ServerEvent(name, b"\n".join(data)) if data else None
