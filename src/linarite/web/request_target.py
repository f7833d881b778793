"""What a request is for: the target in its first line."""

from __future__ import annotations

from urllib.parse import unquote

import httptools


def target_of(url: bytes) -> tuple[str, bytes, bytes]:
    """The path unquoted, the path as it came, and the query."""
    if url.startswith(b"/") and b"#" not in url:
        raw_path, _, query = url.partition(b"?")
    else:  # absolute, as for a proxy; or an asterisk
        parsed = httptools.parse_url(url)
        raw_path, query = parsed.path or b"/", parsed.query or b""
    path = raw_path.decode("ascii")
    return (unquote(path) if "%" in path else path), raw_path, query
