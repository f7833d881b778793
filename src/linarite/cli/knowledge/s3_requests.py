"""What a request that reads from S3 is sent with."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from linarite.domain.sigv4 import SigningKey, signature

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
    moment = f"{at:%Y%m%dT%H%M%SZ}"
    headers = {"host": host, "x-amz-content-sha256": EMPTY, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    key = SigningKey(credentials.access_key_id, credentials.secret_access_key, credentials.region)
    authorization = signature(key, "GET", path, headers, EMPTY, query)
    return [
        *((name, headers[name]) for name in headers if name != "host"),
        ("authorization", authorization),
    ]
