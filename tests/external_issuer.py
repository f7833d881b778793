"""An issuer's own server: real https, whose answers a test chooses."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.tls_server import tls_server
from tests.token_signer import Signer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.authority import Authority
    from tests.tls_server import Answer, Request

CONFIGURATION = "/.well-known/openid-configuration"
KEYS = "/keys"


class ExternalIssuer:
    """What it answers by path, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.signer = Signer(url)
        self.asked: list[tuple[str, str]] = []
        """path and `authorization` of each request"""
        self.gate = threading.Event()
        """answers wait for it"""
        self.gate.set()
        self.answers: dict[str, Answer] = {}
        self.publish(CONFIGURATION, {"issuer": url, "jwks_uri": f"{url}{KEYS}"})
        self.publish(KEYS, self.signer.key_set)

    def publish(
        self,
        path: str,
        document: object,
        status: int = 200,
        **headers: str,
    ) -> None:
        """Answer a path with any JSON, or bytes as they are."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers[path] = (status, headers, body)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked == path for asked, _ in self.asked)


@contextmanager
def external_issuer(authority: Authority) -> Iterator[ExternalIssuer]:
    """Runs on a free port of 127.0.0.1 under a certificate of the authority's."""
    issuer: ExternalIssuer

    def answer(request: Request) -> Answer:
        issuer.asked.append((request.path, request.headers.get("authorization", "")))
        issuer.gate.wait(30)
        return issuer.answers.get(request.path, (404, {}, b"{}"))

    with tls_server(authority, answer) as origin:
        issuer = ExternalIssuer(origin)
        try:
            yield issuer
        finally:
            issuer.gate.set()
