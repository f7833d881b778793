"""Object stores over real sockets, which check by themselves who has signed what they are sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT, ACCOUNT_KEY = "ops", base64.b64encode(b"k" * 64).decode()
SAS = "sv=2021-12-02&ss=b&srt=co&sp=acw&sig=c2ln%2B"
ACCESS_KEY_ID, SECRET, REGION, BUCKET = "AKID", "s3cret", "eu-central-1", "logs"


class Store:
    """What there is, and how the store behaves."""

    def __init__(self) -> None:
        self.containers: set[str] = set()
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.connections: list[socket.socket] = []
        self.refusing = 0
        """a status that everything is answered with; 0: none"""


class StoreHandler(BaseHTTPRequestHandler, ABC):
    """What both stores have in common."""

    protocol_version = "HTTP/1.1"
    store: ClassVar[Store]

    def setup(self) -> None:
        """Note the connection, so that the store can be gone."""
        super().setup()
        self.store.connections.append(self.connection)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002, ANN401 - the library's
        """Say nothing."""

    def do_PUT(self) -> None:
        """Judge who asks, then do it."""
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        place, _, query = self.path.partition("?")
        self.store.requests.append(self.path)
        if self.store.refusing:
            self.answer(self.store.refusing, "InternalError")
        elif not self.is_signed(body):
            self.answer(403, "AuthorizationFailure")
        else:
            self.answer(*self.put(unquote(place), query, body))

    def answer(self, status: int, code: str = "") -> None:
        """An error has its code in XML."""
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @abstractmethod
    def is_signed(self, body: bytes) -> bool:
        """Whether the request is from whoever has the key."""

    @abstractmethod
    def put(self, place: str, query: str, body: bytes) -> tuple[int, str]:
        """Do it; status and code."""


class BlobHandler(StoreHandler):
    """Azure Blob Storage, with the account in the path, as emulators have it."""

    def is_signed(self, body: bytes) -> bool:
        """By what Azure names, in its order; or by the signature in the query."""
        told = self.headers.get("authorization", "")
        if not told:
            return self.path.endswith(SAS)
        words = "content-encoding content-language content-length content-md5 content-type date "
        words += "if-modified-since if-match if-none-match if-unmodified-since range"
        text = "PUT\n"
        for word in words.split():
            value = self.headers.get(word, "")
            text += ("" if word == "content-length" and not body else value) + "\n"
        named = {name.lower(): value for name, value in self.headers.items()}
        for name in sorted(name for name in named if name.startswith("x-ms-")):
            text += f"{name}:{named[name]}\n"
        place, _, query = self.path.partition("?")
        text += f"/{ACCOUNT}{place}"
        for pair in sorted(filter(None, query.split("&"))):
            text += "\n" + pair.replace("=", ":", 1)
        digest = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
        return told == f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"

    def put(self, place: str, query: str, body: bytes) -> tuple[int, str]:
        """A container, a blob, or a block at its end."""
        there, name = self.store, place.removeprefix(f"/{ACCOUNT}/")
        if query.startswith("restype=container"):
            is_new = name not in there.containers
            there.containers.add(name)
            return (201, "") if is_new else (409, "ContainerAlreadyExists")
        if name.partition("/")[0] not in there.containers:
            return 404, "ContainerNotFound"
        if query.startswith("comp=appendblock"):
            return self.append(name, body)
        if self.headers.get("x-ms-blob-type") != "AppendBlob" or body:
            return 400, "InvalidHeaderValue"
        if name in there.blobs and self.headers.get("if-none-match") == "*":
            return 409, "BlobAlreadyExists"
        there.blobs[name] = b""
        return 201, ""

    def append(self, name: str, body: bytes) -> tuple[int, str]:
        """A block at the end of a blob."""
        if name not in self.store.blobs:
            return 404, "BlobNotFound"
        if len(body) > 4 * 1024 * 1024:
            return 413, "RequestBodyTooLarge"
        self.store.blobs[name] += body
        return 201, ""


class S3Handler(StoreHandler):
    """S3, with the bucket in the path."""

    def is_signed(self, body: bytes) -> bool:
        """By AWS's fourth version: what is signed is what came."""
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([\w-]+)/s3/aws4_request,\s?"
            r"SignedHeaders=([\w;-]+),\s?Signature=([0-9a-f]{64})",
            self.headers.get("authorization", ""),
        )
        digest = hashlib.sha256(body).hexdigest()
        if found is None or self.headers.get("x-amz-content-sha256") != digest:
            return False
        who, day, region, names, signed = found.groups()
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names.split(";"))
        request = f"PUT\n{self.path}\n\n{headers}\n{names}\n{digest}"
        hashed = hashlib.sha256(request.encode()).hexdigest()
        scope = f"{day}/{region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{scope}\n{hashed}"
        key = b"AWS4" + SECRET.encode()
        for part in (day, region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        wanted = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return (who, region, signed) == (ACCESS_KEY_ID, REGION, wanted) and "host" in names

    def put(self, place: str, query: str, body: bytes) -> tuple[int, str]:
        """An object."""
        bucket, _, name = place.removeprefix("/").partition("/")
        if bucket != BUCKET:
            return 404, "NoSuchBucket"
        if query:
            return 400, "InvalidArgument"
        self.store.blobs[name] = body
        return 200, ""


class StoreServer(ThreadingHTTPServer):
    """To which a client that is killed is no error."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's
        """Say nothing."""


class RunningStore:
    """One that listens on this machine. `stop`, and `start` on the same port again."""

    def __init__(self, handler: type[StoreHandler]) -> None:
        self.store = Store()
        self._handler = type("Handler", (handler,), {"store": self.store})
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen."""
        self._server = StoreServer(("127.0.0.1", self._port), self._handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Be gone."""
        self._server.shutdown()
        for each in self.store.connections:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._server.server_close()


def running(handler: type[StoreHandler]) -> Iterator[RunningStore]:
    """For a fixture."""
    one = RunningStore(handler)
    yield one
    one.stop()
