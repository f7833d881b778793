"""What a request's head says."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from linarite.web.refusals import HEAD_BYTES_MAX, HEADERS_MAX
from linarite.web.request_target import target_of, with_targets_host

if TYPE_CHECKING:
    from linarite.web.asgi import HeaderList

METHODS = {b"GET": "GET", b"POST": "POST", b"PUT": "PUT", b"DELETE": "DELETE", b"HEAD": "HEAD"}


class RequestHead:
    """What a request's head says. Requests with the same one share it, so that nobody changes it.

    What is found out from it alone may be kept with it (`learned`); it lives as long as a client
    that repeats it keeps its connection.
    """

    __slots__ = ("headers", "learned", "method", "named", "path", "query", "raw_path")

    def __init__(self, method: str, target: tuple[str, bytes, bytes], headers: HeaderList) -> None:
        """`target` is the path unquoted, the path as it came, and the query."""
        self.method = method
        self.path, self.raw_path, self.query = target
        self.headers = headers
        """names in lower case, in the order in which they came"""
        self.named = dict(headers)
        """the last of each name"""
        self.learned: dict[object, Any] = {}
        """by who found it out"""

    def with_header(self, at: int, value: bytes) -> RequestHead:
        """The same head with another value of one header, on which nothing learned may hang."""
        name, known = self.headers[at]
        if known == value:
            return self
        other = copy(self)
        other.headers = self.headers.copy()
        other.headers[at] = (name, value)
        other.named = {**self.named, name: value}
        return other


def head_of(method: bytes, url: bytes, headers: HeaderList) -> RequestHead:
    """The head that was parsed; names of headers are in lower case."""
    if not url.startswith(b"/"):
        headers = with_targets_host(url, headers)
    return RequestHead(METHODS.get(method) or method.decode("ascii"), target_of(url), headers)


def is_too_large(url: bytes, headers: HeaderList, *, may_be_long: bool) -> bool:
    """Whether a head has more bytes or headers than are read; measured only if it may be long."""
    if len(headers) > HEADERS_MAX:
        return True
    if not may_be_long:
        return False
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers) > HEAD_BYTES_MAX
