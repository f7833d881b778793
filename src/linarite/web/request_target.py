"""What a request is for: the target in its first line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import httptools

if TYPE_CHECKING:
    from linarite.web.asgi import HeaderList


def target_of(url: bytes) -> tuple[str, bytes, bytes]:
    """The path unquoted, the path as it came, and the query."""
    if url.startswith(b"/") and b"#" not in url:
        raw_path, _, query = url.partition(b"?")
    else:  # absolute, as for a proxy; or an asterisk
        parsed = httptools.parse_url(url)
        raw_path, query = parsed.path or b"/", parsed.query or b""
    path = raw_path.decode("ascii")
    return (unquote(path) if "%" in path else path), raw_path, query


def with_targets_host(url: bytes, headers: HeaderList) -> HeaderList:
    """The headers with the host that an absolute target names: it counts, not what Host says.

    Source: RFC 9112, 3.2.2. An asterisk names none.
    """
    _, absolute, rest = url.partition(b"://")
    if not absolute:
        return headers
    host = rest.partition(b"/")[0].partition(b"?")[0]
    return [(name, host if name == b"host" else value) for name, value in headers]
