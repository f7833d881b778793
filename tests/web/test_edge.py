"""The outermost layer, the pages beside the API, and the small parts of the HTTP kit."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from linarite.domain.errors import (
    EngineFailed,
    InvalidKey,
    InvalidRequest,
    ResourceNotFound,
    UpstreamRefused,
)
from linarite.web.asgi import handler_of
from linarite.web.edge import Edge
from linarite.web.error_envelope import error_body
from linarite.web.ids import RandomPool, new_guid, new_object_id
from linarite.web.listener import Listener
from linarite.web.options import Server
from linarite.web.pages import page
from linarite.web.sse import error_frame, frame
from tests.web.wire import exchange, get_lines

if TYPE_CHECKING:
    from linarite.web.asgi import App, Receive, Scope, Send
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio


async def ask(app: App, path: str = "/", method: str = "GET") -> list[Any]:
    """What an application sends for a request."""
    sent: list[Any] = []

    async def receive() -> Any:  # noqa: ANN401 - ASGI
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - ASGI
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"a", b"b")]}
    await app(scope, receive, send)
    return sent


async def get(edge: Edge, path: str) -> Answer:
    """What a server with this edge answers."""
    listener = Listener(edge, Server(port=0))
    await listener.open()
    try:
        return await exchange(listener.port, get_lines("GET", path, [("host", "x")]))
    finally:
        await listener.close(0)


def saying(text: bytes) -> App:
    """An application that says one thing."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text})

    return app


def failing(after: int) -> App:
    """An application that fails after so many messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        if after:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        message = "the inside"
        raise RuntimeError(message)

    return app


async def test_pages_stand_at_their_exact_paths_and_all_else_is_the_api() -> None:
    """No prefix, no trailing slash, no other case."""
    edge = Edge({"/healthz": saying(b"page")}, handler_of(saying(b"api")))
    for path, expected in (
        ("/healthz", b"page"),
        ("/", b"api"),
        ("/healthz/", b"api"),
        ("/HEALTHZ", b"api"),
    ):
        assert (await get(edge, path)).body == expected


@pytest.mark.parametrize("path", ["/page", "/api"])
async def test_nothing_escapes_as_a_traceback(path: str) -> None:
    """500 in the gateway's shape with the id that stands in the log, and nothing of the inside."""
    edge = Edge({"/page": failing(0)}, handler_of(failing(0)))
    with capture_logs() as logged:
        answer = await get(edge, path)
    assert answer.status == 500
    request_id = answer.header("apim-request-id")
    assert request_id
    assert answer.error["code"] == "InternalServerError"
    assert request_id in answer.error["message"]
    assert b"the inside" not in answer.body
    assert [entry["request_id"] for entry in logged] == [request_id]


async def test_a_page_that_fails_in_the_middle_is_not_answered_twice() -> None:
    """What has begun cannot be taken back: the connection is cut, and the failure logged."""
    with capture_logs() as logged, pytest.raises(asyncio.IncompleteReadError):
        await get(Edge({"/page": failing(1)}, handler_of(saying(b""))), "/page")
    assert len(logged) == 1


@pytest.mark.parametrize(
    ("method", "status", "body"),
    [("GET", 201, b"seen a"), ("HEAD", 201, b""), ("POST", 405, b"Method not allowed\n")],
)
async def test_a_page_answers_get_and_head(method: str, status: int, body: bytes) -> None:
    """With its length and without being cached; other methods are told which there are."""
    shown = page(lambda headers: (201, "text/x", b"seen " + next(iter(headers))))
    start, end = await ask(shown, method=method)
    headers = dict(start["headers"])
    assert (start["status"], end["body"]) == (status, body)
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers.get(b"allow") == (b"GET, HEAD" if method == "POST" else None)
    assert headers[b"content-length"] == (b"19" if method == "POST" else b"6")


def test_errors_have_azures_two_shapes() -> None:
    """The gateway's, a space after `"message":` included, and the model layer's four fields."""
    assert error_body(ResourceNotFound()) == (
        b'{"error":{"code":"404","message": "Resource not found"}}'
    )
    assert error_body(ResourceNotFound(hint={"code": "x"})) == (
        b'{"error":{"code":"404","message": "Resource not found","innererror":{"code":"x"}}}'
    )
    assert error_body(InvalidRequest("No.", param="n")) == (
        b'{"error":{"message":"No.","type":"invalid_request_error","param":"n","code":null}}'
    )
    assert json.loads(error_body(EngineFailed("Broken.")))["error"]["type"] == "server_error"
    theirs = {"message": "x", "code": 7, "more": [1]}
    assert json.loads(error_body(UpstreamRefused(418, theirs, {}))) == {"error": theirs}
    assert error_frame(InvalidKey()) == b"data: " + error_body(InvalidKey()) + b"\n\n"


@given(message=st.text(), param=st.none() | st.text())
def test_any_text_in_an_error_stays_one_line_of_json(message: str, param: str | None) -> None:
    """No line break gets out of it, so no event is cut in two."""
    error = InvalidRequest(message, param=param)
    framed = error_frame(error)
    assert framed.endswith(b"\n\n")
    assert b"\n" not in framed[:-2]
    assert b"\r" not in framed
    told = json.loads(framed[6:])["error"]
    assert (told["message"], told["param"]) == (message, param)
    assert frame(b"{}") == b"data: {}\n\n"


def test_ids_are_random_and_well_formed() -> None:
    """GUIDs of version 4, object ids of 29 letters and digits; none twice, over many blocks."""
    guids = {new_guid() for _ in range(2000)}
    assert len(guids) == 2000
    for guid in guids:
        parts = guid.split("-")
        assert [len(part) for part in parts] == [8, 4, 4, 4, 12]
        assert parts[2][0] == "4"
        assert parts[3][0] in "89ab"
        assert guid == guid.lower()
    names = {new_object_id("chatcmpl-") for _ in range(2000)}
    assert len(names) == 2000
    assert all(len(name) == 38 and name[9:].isascii() and name[9:].isalnum() for name in names)


def test_random_bytes_are_never_given_twice() -> None:
    """Neither within a block nor where one ends."""
    pool = RandomPool()
    taken = [pool.take(size) for size in (16, 29, 4096, 4000, 97, 16, 4095, 2, 16)]
    assert [len(piece) for piece in taken] == [16, 29, 4096, 4000, 97, 16, 4095, 2, 16]
    long = [piece for piece in taken if len(piece) > 2]
    assert len({piece[:16] for piece in long}) == len(long)
