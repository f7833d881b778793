"""A chat model on loopback that judges passages, as rerankers among chat models do."""

from __future__ import annotations

import contextlib
import json
import math
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.loopback_http import answering

if TYPE_CHECKING:
    from collections.abc import Iterator


class JudgeService:
    """What it was asked, and how it judges."""

    def __init__(self) -> None:
        self.base_url = ""
        self.asked: list[dict[str, Any]] = []
        self.likes: dict[str, float] = {}
        """how probable "yes" is for a passage with that word in it; else 0.01"""
        self.says: tuple[str, str] = ("yes", "no")
        self.waits_s = 0.0
        self.status = 200
        self.refuses = ""
        """passages with that word in it are too long"""

    def passages(self) -> list[str]:
        """What it was asked about, and forget it."""
        asked, self.asked = self.asked, []
        told = [each["messages"][-1]["content"] for each in asked]
        return [each.partition("<Document>: ")[2] for each in told]

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of one answer."""
        self.asked.append(body)
        time.sleep(self.waits_s)
        passage = body["messages"][-1]["content"].partition("<Document>: ")[2]
        if self.status != 200 or (self.refuses and self.refuses in passage):
            status = self.status if self.status != 200 else 400
            code = "context_length_exceeded" if status == 400 else "broken"
            return status, {"error": {"message": f"no ({code})", "code": code}}
        liked = [share for word, share in self.likes.items() if word in passage]
        yes = max(liked, default=0.01)
        # Some of it by another spelling, as models do.
        tokens = [(self.says[0], 0.9 * yes), (f" {self.says[0].title()}", 0.1 * yes)]
        tokens += [(self.says[1], 0.9 - 0.9 * yes), ("The", 0.1 - 0.1 * yes)]
        top = [{"token": each, "logprob": math.log(share), "bytes": None} for each, share in tokens]
        message = {"role": "assistant", "content": self.says[yes < 0.5]}
        logprobs = {"content": [{**top[0], "top_logprobs": top}]}
        choice = {"index": 0, "message": message, "finish_reason": "length", "logprobs": logprobs}
        return 200, {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "judge",
            "choices": [choice],
            "usage": {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91},
        }


@contextmanager
def judge_service() -> Iterator[JudgeService]:
    """One, while the context is open."""
    service = JudgeService()
    with answering(_Handler, service=service) as url:
        service.base_url = f"{url}/v1"
        yield service


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: JudgeService

    def do_POST(self) -> None:
        """Judge."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, told = self.service.answer(body)
        answer = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # nobody waits any more
            self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
