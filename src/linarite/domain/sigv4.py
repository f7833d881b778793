"""How requests to S3 are signed: AWS Signature Version 4, in the header.

Source: docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header".
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM = "AWS4-HMAC-SHA256"


class SigningKey(NamedTuple):
    """Whose requests they are, and where."""

    access_key_id: str
    secret: str
    region: str


def signature(
    key: SigningKey,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body_digest: str,
    query: str = "",
) -> str:
    """The `authorization` of a request.

    `path` and `query` are encoded as they are sent, the query in the order of its names; `headers`,
    with names in lower case, are all signed, `host` and `x-amz-date` (as 20130524T000000Z) among
    them; `body_digest` is SHA-256 in hexadecimal.
    """
    at = headers["x-amz-date"]
    scope = f"{at[:8]}/{key.region}/s3/aws4_request"
    names = ";".join(sorted(headers))
    lines = [method, path, query, *(f"{name}:{headers[name].strip()}" for name in sorted(headers))]
    canonical = "\n".join([*lines, "", names, body_digest])
    text = "\n".join([ALGORITHM, at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signing = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), hashlib.sha256)
    signed = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{key.access_key_id}/{scope}"
    return f"{ALGORITHM} Credential={credential},SignedHeaders={names},Signature={signed}"
