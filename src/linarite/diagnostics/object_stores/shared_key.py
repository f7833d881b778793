"""How requests to Azure Blob Storage are signed: Shared Key.

Source: learn.microsoft.com, "Authorize with Shared Key", version 2015-02-21 and later.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
"""those whose values stand in the text that is signed, in this order, without their names"""


def shared_key(account: str, key: bytes, method: str, path: str, headers: Mapping[str, str]) -> str:
    """The `authorization` of a request. Header names are in lower case; `path` has its query."""
    place, _, query = path.partition("?")
    plain = dict(headers)
    if plain.get("content-length") == "0":
        plain["content-length"] = ""
    lines = [method, *(plain.get(name, "") for name in SIGNED_HEADERS)]
    lines += [f"{name}:{plain[name]}" for name in sorted(plain) if name.startswith("x-ms-")]
    lines.append(f"/{account}{place}")
    lines += [f"{name.lower()}:{value}" for name, value in sorted(parse_qsl(query))]
    signed = hmac.digest(key, "\n".join(lines).encode(), hashlib.sha256)
    return f"SharedKey {account}:{base64.b64encode(signed).decode()}"
