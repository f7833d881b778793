"""Signature version 4 of a request that reads.

Source: docs.aws.amazon.com, "Signature Calculations for the Authorization Header".
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

EMPTY = hashlib.sha256(b"").hexdigest()
"""the digest of no body"""
PLAIN = "-._~"
"""what is not encoded, beside letters and digits"""


class Credentials(NamedTuple):
    """What a request is signed with."""

    access_key_id: str
    secret_access_key: str
    region: str
    session_token: str = ""

    def __repr__(self) -> str:
        """Hide all but the region."""
        return f"Credentials(region={self.region!r})"


def query_of(parameters: dict[str, str]) -> str:
    """Parameters as they are signed, and sent."""
    pairs = sorted((quote(name, PLAIN), quote(value, PLAIN)) for name, value in parameters.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def signed_headers(
    credentials: Credentials, host: str, path: str, query: str, at: datetime
) -> list[tuple[str, str]]:
    """Headers of a GET; `path` and `query` as they are sent, `at` in UTC."""
    moment, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"GET\n{path}\n{query}\n{lines}\n{names}\n{EMPTY}"
    scope = f"{day}/{credentials.region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    told = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    signature = hmac.new(key, told.encode(), "sha256").hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )
    return [
        *((name, headers[name]) for name in headers if name != "host"),
        ("authorization", authorization),
    ]
