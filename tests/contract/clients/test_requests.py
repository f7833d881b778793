"""Requests as other clients send them, byte for byte where it matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.serving import Server

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
DATED = "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
V1 = "/openai/v1/chat/completions"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose deployments are simulated."""
    yield from serving(tmp_path_factory.mktemp("clients"), SIMULATED)


def post(
    server: Server, path: str, headers: dict[str, str], body: dict[str, Any]
) -> httpx.Response:
    """A POST with nothing but these headers and the client library's own."""
    return httpx.post(f"{server.endpoint}{path}", headers=headers, json=body)


@pytest.mark.parametrize(
    "path",
    [
        DATED,
        "/openai/deployments/GPT-4O/chat/completions?api-version=2024-10-21",
        "//openai//deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        "/openai/deployments/gpt-4o/chat/completions/?api-version=2024-10-21",
        "/linarite/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
    ],
)
def test_dated_paths(server: Server, path: str) -> None:
    """Doubled and trailing slashes, another case and an account prefix all find it."""
    assert post(server, path, {"api-key": server.key}, CHAT).status_code == 200


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=preview"])
def test_v1_versions(server: Server, query: str) -> None:
    """/openai/v1/ takes no version, `v1` and `preview`."""
    body = CHAT | {"model": "gpt-4o"}
    assert post(server, V1 + query, {"api-key": server.key}, body).status_code == 200


def test_azure_client_with_v1_base(server: Server) -> None:
    """AzureOpenAI(base_url='…/openai/v1/') inserts deployments and an api-version."""
    path = "/openai/v1/deployments/gpt-4o/chat/completions?api-version=preview"
    assert post(server, path, {"api-key": server.key}, CHAT).status_code == 200


@pytest.mark.parametrize("path", [DATED, V1])
@pytest.mark.parametrize(
    "scheme", ["key", "key_and_same_bearer", "key_and_token", "bearer", "subscription_key"]
)
def test_credentials(server: Server, path: str, scheme: str) -> None:
    """Every way in which clients present a key is understood; `api-key` decides."""
    headers = {
        "key": {"api-key": server.key},
        "key_and_same_bearer": {"api-key": server.key, "authorization": f"Bearer {server.key}"},
        "key_and_token": {"api-key": server.key, "authorization": f"Bearer {JWT}"},
        "bearer": {"authorization": f"Bearer {server.key}"},
        "subscription_key": {"Ocp-Apim-Subscription-Key": server.key},
    }[scheme]
    assert post(server, path, headers, CHAT | {"model": "gpt-4o"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"api-key": ""},
        {"api-key": "wrong"},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic d3Jvbmc="},
    ],
)
@pytest.mark.parametrize(
    "path", [DATED, V1, "/openai/none/such", "/openai/models", "/openai/v1/models", "/"]
)
def test_no_way_in(server: Server, path: str, headers: dict[str, str]) -> None:
    """Without a key every path, known or not, gives the one refusal."""
    answer = post(server, path, headers, CHAT | {"model": "gpt-4o"})
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {
            "code": "401",
            "message": "Access denied due to invalid subscription key or wrong API endpoint. Make "
            "sure to provide a valid key for an active subscription and use a correct regional "
            "API endpoint for your resource.",
        }
    }
    assert answer.headers["apim-request-id"]


@pytest.mark.parametrize(
    "path", [DATED, V1, "/openai/none/such", "/openai/models", "/openai/v1/models", "/"]
)
def test_a_token_that_proves_nothing(server: Server, path: str) -> None:
    """It is refused as a token, the same whether the path is known or not."""
    headers = {"authorization": f"Bearer {JWT}"}
    answer = post(server, path, headers, CHAT | {"model": "gpt-4o"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "Unauthorized")


def test_wrong_key_beside_good_bearer(server: Server) -> None:
    """A wrong `api-key` is not saved by a good bearer."""
    headers = {"api-key": "wrong", "authorization": f"Bearer {server.key}"}
    assert post(server, DATED, headers, CHAT).status_code == 401


def test_literal_gateway_body(server: Server) -> None:
    """Gateway errors have Azure's literal form, with the space after "message":."""
    answer = httpx.get(f"{server.endpoint}/openai/none/such", headers={"api-key": server.key})
    assert answer.status_code == 404
    assert answer.content == b'{"error":{"code":"404","message": "Resource not found"}}'


def test_benchmarks_that_send_more_are_told(server: Server) -> None:
    """`ignore_eos`, which some benchmarks send, is named in the refusal."""
    answer = post(server, DATED, {"api-key": server.key}, CHAT | {"ignore_eos": True})
    assert answer.status_code == 400
    assert "ignore_eos" in answer.json()["error"]["message"]


def test_headers_of_an_answer(server: Server) -> None:
    """An answer carries Azure's headers, the caller's own id among them."""
    headers = {"api-key": server.key, "x-ms-client-request-id": "mine-1"}
    answer = post(server, DATED, headers, CHAT)
    assert answer.headers["x-ms-client-request-id"] == "mine-1"
    assert answer.headers["x-ms-deployment-name"] == "gpt-4o"
    assert answer.headers["x-ms-served-model"] == "gpt-4o-2024-11-20"
    assert answer.json()["model"] == "gpt-4o-2024-11-20"
    assert answer.headers["x-ms-region"] == "Local"
    assert answer.headers["apim-request-id"] == answer.headers["x-request-id"]
    assert int(answer.headers["openai-processing-ms"]) >= 0
    assert "server" not in answer.headers


def test_stream_headers_and_framing(server: Server) -> None:
    """A stream is unbuffered, one `data:` line an event, and ends with [DONE]."""
    answer = post(server, DATED, {"api-key": server.key}, CHAT | {"stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    events = answer.text.split("\n\n")
    assert events[-1] == ""
    assert events[-2] == "data: [DONE]"
    assert all(event.startswith("data: {") for event in events[:-2])
