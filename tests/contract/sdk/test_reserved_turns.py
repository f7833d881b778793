"""What begins and needs more of its limits, by the official clients: nobody goes over."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import APIError, OpenAI, RateLimitError
from websockets.sync.client import connect

from tests import mcp_server
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

LIMIT = 3000
WAIT_S = 3.0
SETTINGS = (
    SIMULATED.replace("seed = 1", "seed = 1, reply_tokens = 300")
    + f"""
[quota]
begun_wait_s = 0.2

[mcp]
private_hosts = ["127.0.0.1"]

[[usage_limits]]
name = "person"
kind = "endUser"
tokens_per_minute = {LIMIT}
"""
)
ADD = "Add the numbers 3 and 4"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each person may use so much a minute."""
    yield from serving(tmp_path_factory.mktemp("turns"), SETTINGS)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    """It tries nothing a second time."""
    url = f"{server.endpoint}/openai/v1/"
    with OpenAI(base_url=url, api_key=server.key, max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The tools of an MCP server in a process of its own, without asking a person."""
    with mcp_server.running(tmp_path_factory.mktemp("mcp")) as url:
        yield {
            "type": "mcp",
            "server_label": "calc",
            "server_url": f"{url}/session",
            "require_approval": "never",
        }


def used_by(server: Server, person: str) -> int:
    """What a person has used, as management sees it once it is settled."""
    path = f"{server.ready['account_id']}/providers/Linarite.Quota/usageLimits/person/usage"
    until = time.monotonic() + WAIT_S
    while True:
        told = httpx.get(
            server.endpoint + path,
            params={"api-version": "2025-09-01"},
            headers={"authorization": f"Bearer {server.ready['management_key']}"},
        ).json()
        used: int = next(each["used"] for each in told["value"] if each["subject"] == person)
        if used or time.monotonic() > until:
            return used


def test_fifty_answers_without_a_bound(server: Server, client: OpenAI) -> None:
    """Some are refused, some cut off; what all have used is within the limit."""

    def ask(number: int) -> tuple[str, int]:
        try:
            made = client.chat.completions.create(
                model="gpt-4o",
                messages=[{"role": "user", "content": f"Tell a long story of {number}."}],
                user="teller",
            )
        except RateLimitError:
            return "refused", 0
        assert made.usage is not None
        return made.choices[0].finish_reason, made.usage.total_tokens

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    used = sum(tokens for _, tokens in answers)
    assert LIMIT / 2 < used <= LIMIT
    assert used_by(server, "teller") == used
    assert {reason for reason, _ in answers} >= {"refused"}


@pytest.mark.parametrize("how", ["plain", "stream", "background", "socket"])
def test_a_second_turn_beyond_the_limit(
    server: Server,
    client: OpenAI,
    tool: Any,  # noqa: ANN401 - as the client takes it
    how: str,
) -> None:
    """The response ends as failed with what it has; nothing is called twice."""
    asked: dict[str, Any] = {
        "model": "gpt-4o",
        "input": ADD,
        "tools": [tool],
        "user": how,
        "instructions": "word " * 1000,
        "max_output_tokens": 50,
    }
    if how == "plain":
        failed = client.responses.create(**asked)
    elif how == "background":
        failed = client.responses.create(**asked, background=True)
        until = time.monotonic() + WAIT_S * 5
        while failed.status in ("queued", "in_progress") and time.monotonic() < until:
            time.sleep(0.05)
            failed = client.responses.retrieve(failed.id)
    elif how == "stream":
        events: list[Any] = []
        with pytest.raises(APIError, match="token rate limit"):
            events.extend(client.responses.create(**asked, stream=True))
        failed = client.responses.retrieve(events[0].response.id)
    else:
        failed = by_socket(server, client, asked)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error.code == "rate_limit_exceeded"
    assert [each.type for each in failed.output] == ["mcp_list_tools", "mcp_call"]
    assert 0 < used_by(server, how) <= LIMIT


def by_socket(server: Server, client: OpenAI, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - as the client gives it
    """The response of a turn of a WebSocket, as it was kept."""
    url = f"{server.endpoint.replace('http', 'ws', 1)}/openai/v1/responses"
    with connect(url, additional_headers={"api-key": server.key}) as socket:
        socket.send(json.dumps({"type": "response.create", **asked}))
        first = json.loads(socket.recv(WAIT_S))
        last = first
        while last["type"] != "error":
            last = json.loads(socket.recv(WAIT_S))
        assert last["error"]["code"] == "rate_limit_exceeded"
    return client.responses.retrieve(first["response"]["id"])
