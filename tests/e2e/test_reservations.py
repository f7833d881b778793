"""No request over its limit, whatever it consists of and however many come together."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


SETTINGS = """
[instances.slow]
engine = "simulator"
model = "gpt-4o"
options = {{ time_to_first_token_ms = 500 }}

[instances.uncounted]
engine = "upstream"
model = "gpt-4o"
options = {{ base_url = "http://127.0.0.1:{port}/v1", api_key = "none" }}

{deployments}
[[usage_limits]]
name = "money"
kind = "account"
deployments = ["money"]
cost_per_day = 6.0

[[usage_limits]]
name = "chinese"
kind = "account"
deployments = ["chinese"]
tokens_per_minute = 2500

[prices]
currency = "USD"

[[prices.models]]
model = "*"
input = 1000
output = 1000
"""
DEPLOYED = (
    ("rated", "slow", "capacity = 6"),
    ("money", "slow", ""),
    ("chinese", "slow", ""),
    ("uncounted", "uncounted", "capacity = 6"),
)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"f{number}",
            "description": "lorem ipsum dolor " * 50,
            "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
        },
    }
    for number in range(20)
]
WORDS = 900
"""in one piece of an answer that nobody counts"""


class Uncounted(BaseHTTPRequestHandler):
    """An upstream whose streams tell no usage."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """A long answer in one piece."""
        self.rfile.read(int(self.headers["content-length"]))
        said = [({"role": "assistant", "content": "word " * WORDS}, None), ({}, "stop")]
        common = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        chunks = [
            common | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
            for delta, reason in said
        ]
        body = b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks)
        body += b"data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a server with all of these limits."""
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Uncounted)
    Thread(target=upstream.serve_forever, daemon=True).start()
    deployments = "".join(
        f'[[deployments]]\nname = "{name}"\nmodel = "gpt-4o"\ninstance = "{instance}"\n{more}\n\n'
        for name, instance, more in DEPLOYED
    )
    settings = SETTINGS.format(port=upstream.server_port, deployments=deployments)
    for server in serving(tmp_path_factory.mktemp("reservations"), settings):
        headers = {"api-key": server.key}
        with httpx.Client(base_url=server.endpoint, headers=headers, timeout=30) as client:
            yield client
    upstream.shutdown()
    upstream.server_close()


def ask(client: httpx.Client, deployment: str, said: str = "hi", **more: Any) -> httpx.Response:  # noqa: ANN401 - any JSON
    """One request."""
    path = f"/openai/deployments/{deployment}/chat/completions?api-version=2024-10-21"
    body = {"messages": [{"role": "user", "content": said}], "max_tokens": 5, **more}
    return client.post(path, json=body)


def used(answers: list[httpx.Response]) -> int:
    """Tokens of those that were admitted."""
    assert {each.status_code for each in answers} <= {200, 429}
    return sum(each.json()["usage"]["total_tokens"] for each in answers if each.is_success)


def together(count: int, client: httpx.Client, deployment: str, **more: Any) -> int:  # noqa: ANN401 - as ask
    """Tokens that so many requests have used which come at the same time."""
    with ThreadPoolExecutor(count) as pool:
        asked = [pool.submit(ask, client, deployment, **more) for _ in range(count)]
        return used([each.result() for each in asked])


def test_tools_are_reserved(client: httpx.Client) -> None:
    """Their descriptions are most of what the model reads; a request that fits alone is served."""
    assert 4_000 < together(6, client, "rated", tools=TOOLS) <= 6_000


def test_money_is_a_hard_stop(client: httpx.Client) -> None:
    """A dollar for a thousand tokens: six dollars are for one request of these."""
    assert 4_000 < together(6, client, "money", tools=TOOLS) <= 6_000


def test_other_scripts_are_reserved(client: httpx.Client) -> None:
    """A character of Chinese may be a token, or two: as many as fit come in."""
    assert 0 < together(8, client, "chinese", said="你 好 世 界 " * 50) <= 2_500


def test_what_nobody_counts_costs_what_was_reserved(client: httpx.Client) -> None:
    """An answer of 900 words in two chunks is not two tokens."""
    answers = [
        ask(client, "uncounted", max_tokens=WORDS, stream=True).status_code for _ in range(7)
    ]
    assert answers == [200] * 6 + [429]
