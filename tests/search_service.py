"""An Azure AI Search service on loopback: its REST surface as far as a search needs it.

Scores are the words that a document shares with the query; what the service refuses, it refuses
in its own form.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback_http import answering

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, TOKEN = "a-query-key", "an.access.token"
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "1",
        "chunk": "Parcels are sent on Mondays and on Thursdays.",
        "title": "Parcels",
        "link": "https://intranet.example/parcels",
        "file": "parcels.md",
        "year": 2025,
        "vector": [1.0, 0.0],
    },
    {
        "id": "2",
        "chunk": "The office is closed in August; parcels wait.",
        "title": "Office",
        "link": "https://intranet.example/office",
        "file": "office.md",
        "year": 2020,
        "vector": [0.0, 1.0],
    },
]


class Asked(NamedTuple):
    """One search."""

    of: str
    api_version: str
    headers: dict[str, str]
    body: dict[str, Any]


class SearchService:
    """What it was asked, and what it has."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.asked: list[Asked] = []
        self.status = 200
        """of the next answers"""


@contextmanager
def search_service() -> Iterator[SearchService]:
    """One with the index `handbook`, while the context is open."""
    service = SearchService("")
    with answering(_Handler, service=service) as service.endpoint:
        yield service


class _Handler(BaseHTTPRequestHandler):
    service: SearchService

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own
        """Say nothing."""

    def do_POST(self) -> None:
        """`docs/search`, and an embeddings deployment beside it."""
        service = self.service
        address = urlsplit(self.path)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if address.path.endswith("/embeddings"):
            ok = self.headers["api-key"] == KEY
            data = {"data": [{"embedding": [1.0, 0.0]}]}
            self._answer(200 if ok else 401, data if ok else {})
            return
        index = unquote(address.path.split("/")[2])
        version = parse_qs(address.query)["api-version"][0]
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.asked.append(Asked(index, version, headers, body))
        self._answer(*_found(service, service.asked[-1]))

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def _found(service: SearchService, asked: Asked) -> tuple[int, dict[str, Any]]:
    body = asked.body
    if service.status != 200:
        return service.status, {"error": {"code": "", "message": "The service is unavailable."}}
    is_open = asked.headers.get("api-key") == KEY
    if not is_open and asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return 403, {"error": {"code": "Forbidden", "message": "Access denied due to the key."}}
    if asked.of != "handbook":
        return 404, {"error": {"code": "", "message": "The index was not found."}}
    among = DOCUMENTS
    if said := body.get("filter"):
        matched = re.fullmatch(r"year ge (\d+)", said)
        if matched is None:
            return 400, {"error": {"code": "", "message": f"Invalid expression: {said}"}}
        among = [each for each in DOCUMENTS if each["year"] >= int(matched[1])]
    words = set(re.findall(r"\w+", (body.get("search") or "").lower()))
    rows: list[dict[str, Any]] = []
    for each in among:
        score = float(len(words & set(re.findall(r"\w+", each["chunk"].lower()))))
        for vector in body.get("vectorQueries", ()):
            given = vector.get("vector") or [0.0, 1.0]
            score += sum(a * b for a, b in zip(given, each["vector"], strict=True))
        row = {"@search.score": score, **each}
        if body.get("queryType") == "semantic":
            row["@search.rerankerScore"] = 3.0 if "mondays" in each["chunk"].lower() else 0.4
        if score:
            rows.append(row)
    rows.sort(key=lambda row: -row["@search.score"])
    return 200, {"value": rows[: body["top"]]}
