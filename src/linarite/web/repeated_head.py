"""Heads that come again: a client that keeps its connection sends the same bytes with each request.

Such a head is not parsed again. What it says is known, but for the length of the body behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from linarite.web.request_head import RequestHead

TRIES = 4
"""heads of a connection that are kept in vain, before no more are: its client varies them"""
KEPT_BYTES_MAX = 4096
"""of a head; a longer one is parsed each time"""
NEVER = frozenset((b"transfer-encoding", b"expect", b"upgrade"))
"""headers of heads that are parsed each time: more than a length hangs on them"""
_LENGTH = re.compile(rb"\r\ncontent-length: ?([0-9]{1,15})\r\n", re.IGNORECASE)
_DIGITS_MAX = 15


class Repetition(NamedTuple):
    """A known head that has come again."""

    head: RequestHead
    body_at: int
    """where in the data its body begins"""
    body_bytes: int
    """that the body has, whether they have come or not"""


class HeadMemory:
    """The last head of a connection, while its client goes on to send the same one."""

    __slots__ = ("_head", "_tries_left")

    def __init__(self) -> None:
        self._head: KnownHead | None = None
        self._tries_left = TRIES

    def again(self, data: bytes) -> Repetition | None:
        """The known head at the beginning of what came; None where there is another, or a part."""
        if self._head is None:
            return None
        found = self._head.in_data(data)
        if found is not None:
            self._tries_left = TRIES
        return found

    def keep(self, head: RequestHead, data: bytes) -> None:
        """Know a head again that was parsed; it stands at the beginning of `data`."""
        if self._tries_left:
            self._tries_left -= 1
            self._head = known_head(head, data)
        else:
            self._head = None


class KnownHead:
    """The bytes of a head that was parsed. Nothing but the digits of a length may differ."""

    __slots__ = ("_after", "_before", "_head", "_length_at")

    def __init__(self, head: RequestHead, before: bytes, after: bytes, length_at: int) -> None:
        self._head = head
        self._before = before
        self._after = after
        self._length_at = length_at

    def in_data(self, data: bytes) -> Repetition | None:
        """The same head at the beginning of what came; None where there is another, or a part."""
        before, after = self._before, self._after
        if not data.startswith(before):
            return None
        at = len(before)
        if self._length_at < 0:
            return Repetition(self._head, at, 0)
        end = data.find(b"\r", at, at + _DIGITS_MAX + 1)
        digits = data[at:end]
        if end < 0 or not digits.isdigit() or not data.startswith(after, end):
            return None
        return Repetition(
            self._head.with_header(self._length_at, digits), end + len(after), int(digits)
        )


def known_head(head: RequestHead, data: bytes) -> KnownHead | None:
    """How to know a head again that stands at the beginning of `data`; None for a rare kind.

    Lines that end otherwise than by CRLF, or go on in the next, are such: their bytes could be
    taken apart in more than one way.
    """
    named, lines = head.named, len(head.headers) + 2
    end = data.find(b"\r\n\r\n", 0, KEPT_BYTES_MAX) + 4
    text = data[:end]
    if end < 4 or not NEVER.isdisjoint(named):  # noqa: PLR2004 - not found
        return None
    if text.count(b"\r\n") != lines or text.count(b"\n") != lines or text.count(b"\r") != lines:
        return None
    told = _LENGTH.search(text)
    if told is None:
        return None if b"content-length" in named else KnownHead(head, text, b"", -1)
    length_at = [name for name, _ in head.headers].index(b"content-length")
    return KnownHead(head, text[: told.start(1)], text[told.end(1) :], length_at)
