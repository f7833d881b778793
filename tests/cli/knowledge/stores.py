"""S3 and Azure Blob on loopback: lists in parts, and objects, for whoever is let in."""

from __future__ import annotations

import hashlib
import hmac
from abc import ABC, abstractmethod
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from tests.loopback_http import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY_ID, SECRET, REGION = "AKID", "s3cret/+", "eu-central-1"
SAS = "sv=2021-12-02&sr=c&sp=rl&sig=c2ln%2B"
PART = 2
"""objects in a part of a list"""


class _Store(BaseHTTPRequestHandler, ABC):
    objects: ClassVar[dict[str, bytes]]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own
        """Say nothing."""

    def do_GET(self) -> None:
        """A list or an object."""
        address = urlsplit(self.path)
        asked = dict(parse_qsl(address.query, keep_blank_values=True))
        if not self.is_let_in(asked):
            body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            self.answer(403, body.encode())
            return
        container, _, name = (
            unquote(address.path).removeprefix("/account").lstrip("/").partition("/")
        )
        if container != "handbook":
            self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif name:
            found = self.objects.get(name)
            self.answer(404 if found is None else 200, found or b"")
        else:
            names = sorted(each for each in self.objects if each.startswith(asked["prefix"]))
            self.answer(200, self.listed(names, asked).encode())

    def answer(self, status: int, body: bytes) -> None:
        """The whole of it."""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @abstractmethod
    def is_let_in(self, asked: dict[str, str]) -> bool:
        """Whether the request may be answered."""

    @abstractmethod
    def listed(self, names: list[str], asked: dict[str, str]) -> str:
        """A part of the list, in XML."""


class S3(_Store):
    """Judges signatures by itself."""

    def is_let_in(self, asked: dict[str, str]) -> bool:
        """By the signature of the request as it came."""
        del asked
        told = self.headers.get("authorization", "")
        names = told.partition("SignedHeaders=")[2].partition(",")[0]
        moment = self.headers.get("x-amz-date", "")
        path, _, query = self.path.partition("?")
        query = "&".join(sorted(query.split("&")))
        lines = "".join(f"{each}:{self.headers[each]}\n" for each in names.split(";") if each)
        digest = self.headers.get("x-amz-content-sha256", "")
        request = f"GET\n{path}\n{query}\n{lines}\n{names}\n{digest}".encode()
        scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
        signed = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request).hexdigest()}"
        key = b"AWS4" + SECRET.encode()
        for part in (moment[:8], REGION, "s3", "aws4_request", signed):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return f"Credential={KEY_ID}/{scope}" in told and told.endswith(f"Signature={key.hex()}")

    def listed(self, names: list[str], asked: dict[str, str]) -> str:
        """Names are encoded as the request wants it."""
        at = int(asked.get("continuation-token", "0"))
        more = at + PART < len(names)
        rows = "".join(
            f"<Contents><Key>{escape(each.replace(' ', '+'))}</Key>"
            f"<ETag>&quot;{hashlib.md5(self.objects[each]).hexdigest()}&quot;</ETag>"  # noqa: S324 - what S3's mark is
            f"<Size>{len(self.objects[each])}</Size></Contents>"
            for each in names[at : at + PART]
        )
        token = f"<NextContinuationToken>{at + PART}</NextContinuationToken>" if more else ""
        return (
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
        )


class Blobs(_Store):
    """Lets in whoever has the shared access signature or the token."""

    def is_let_in(self, asked: dict[str, str]) -> bool:
        """By one of the two."""
        return asked.get("sig") == "c2ln+" or self.headers["authorization"] == "Bearer a.b.c"

    def listed(self, names: list[str], asked: dict[str, str]) -> str:
        """With the digest of some only: blobs that were written in parts have none."""
        at = int(asked.get("marker", "0"))
        rows = "".join(
            f"<Blob><Name>{escape(each)}</Name><Properties><Etag>0x{self.tag(each)}</Etag>"
            f"<Content-Length>{len(self.objects[each])}</Content-Length></Properties></Blob>"
            for each in names[at : at + PART]
        )
        marker = str(at + PART) if at + PART < len(names) else ""
        return (
            f"<EnumerationResults><Blobs>{rows}</Blobs><NextMarker>{marker}</NextMarker>"
            "</EnumerationResults>"
        )

    def tag(self, name: str) -> str:
        """Of what it holds."""
        return b64encode(hashlib.sha256(self.objects[name]).digest()).decode()


@contextmanager
def store_of(kind: type[_Store], objects: dict[str, bytes]) -> Iterator[str]:
    """The URL of a store with these objects, while the context is open."""
    with answering(kind, objects=objects) as url:
        yield url
