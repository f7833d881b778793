"""Counting custom headers: Azure passes on ten and answers 431 beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import TooManyHeaders

if TYPE_CHECKING:
    from linarite.web.asgi import HeaderList

STANDARD = frozenset(
    (
        b"accept",
        b"accept-charset",
        b"accept-encoding",
        b"accept-language",
        b"api-key",
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"cookie",
        b"date",
        b"dnt",
        b"expect",
        b"forwarded",
        b"from",
        b"host",
        b"http2-settings",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-unmodified-since",
        b"keep-alive",
        b"ocp-apim-subscription-key",
        b"openai-beta",
        b"openai-organization",
        b"openai-project",
        b"origin",
        b"pragma",
        b"priority",
        b"proxy-authorization",
        b"range",
        b"referer",
        b"request-id",
        b"te",
        b"traceparent",
        b"tracestate",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
        b"x-requested-with",
        b"x-upgrade",
    )
)
CLIENT_PREFIXES = (b"x-stainless-", b"x-ms-", b"sec-")
"""what SDKs and browsers add by themselves"""


def count_custom_headers(headers: HeaderList, limit: int) -> None:
    """Refuse a request with more than `limit` headers of the caller's own making."""
    if len(headers) <= limit:
        return
    custom = sum(
        1 for name, _ in headers if name not in STANDARD and not name.startswith(CLIENT_PREFIXES)
    )
    if custom > limit:
        raise TooManyHeaders(limit)
