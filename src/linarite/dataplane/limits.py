"""Counting custom headers: Azure passes on ten and answers 431 beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.domain.errors import TooManyHeaders

if TYPE_CHECKING:
    from linarite.web.asgi import HeaderList

STANDARD = frozenset(
    name.encode()
    for name in (
        "accept accept-charset accept-encoding accept-language api-key authorization cache-control "
        "connection content-encoding content-length content-type cookie date dnt expect forwarded "
        "from host if-match if-modified-since if-none-match if-unmodified-since keep-alive "
        "ocp-apim-subscription-key openai-beta openai-organization openai-project origin pragma "
        "priority proxy-authorization range referer request-id te traceparent tracestate trailer "
        "transfer-encoding upgrade upgrade-insecure-requests user-agent via x-forwarded-for "
        "x-forwarded-host x-forwarded-port x-forwarded-proto x-real-ip x-request-id "
        "x-requested-with"
    ).split()
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
