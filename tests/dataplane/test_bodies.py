"""Bodies that are not what they should be: as JSON, in size, in type, in time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest

from linarite.dataplane.options import Limits
from linarite.web import body as body_module
from tests.dataplane.rig import CHAT, HELLO, WAIT_S, rig
from tests.web.wire import get_lines, read_answer

if TYPE_CHECKING:
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

GOOD = msgspec.json.encode(HELLO)
HINT = "not valid JSON"


def with_content(text: bytes) -> bytes:
    """A chat request whose content is these bytes of a JSON string."""
    return b'{"messages":[{"role":"user","content":"%s"}]}' % text


def with_field(text: bytes) -> bytes:
    """A chat request with one more field, raw."""
    return GOOD[:-1] + b"," + text + b"}"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", HINT),
        (b" ", HINT),
        (b"{", HINT),
        (b"}", HINT),
        (GOOD + b"x", HINT),
        (GOOD + GOOD, HINT),
        (GOOD[:-1] + b",}", HINT),
        (GOOD.replace(b'"', b"'"), HINT),
        (b"\xef\xbb\xbf" + GOOD, HINT),
        (GOOD.decode().encode("utf-16"), HINT),
        (b"messages=hello", HINT),
        (with_content(b"\xff"), HINT),
        (with_content(b"\xc3"), HINT),
        (with_content(b"\xed\xa0\x80"), HINT),
        (with_content(b"\x00"), HINT),
        (with_content(b"a\nb"), HINT),
        (with_content(b"\\ud800"), HINT),
        (with_content(b"\\ud800\\ud800"), HINT),
        (with_content(b"\\udc00"), HINT),
        (with_content(b"\\u12"), HINT),
        (with_content(b"\\x41"), HINT),
        (with_field(b'"temperature":NaN'), HINT),
        (with_field(b'"temperature":Infinity'), HINT),
        (with_field(b'"temperature":-Infinity'), HINT),
        (with_field(b'"temperature":.5'), HINT),
        (with_field(b'"temperature":01'), HINT),
        (with_field(b'"temperature":1e400'), "temperature"),
        (with_field(b'"n":1e400'), "n"),
        (with_field(b'"n":' + b"9" * 5000), "n"),
        (with_field(b'"seed":-' + b"9" * 50_000), "seed"),
        (with_field(b'"prediction":{"a":' + b"9" * 5000 + b"}"), "prediction"),
        (b"null", "an object, but got null"),
        (b"true", "an object, but got a boolean"),
        (b"3", "an object, but got an integer"),
        (b'"x"', "an object, but got a string"),
        (b"[]", "an object, but got an array"),
        (b"[" * 100_000, "an object, but got an array"),
        (b'{"messages":' + b"[" * 100_000, "messages"),
        (with_field(b'"prediction":{"a":' + b"[" * 100_000), "nested too deeply"),
        (with_field(b'"prediction":' + b'{"a":' * 100_000), "nested too deeply"),
        (with_field(b'"tools":' + b"[" * 100_000), "tools"),
        (b'{"a":' * 100_000, "argument supplied: a"),
        (b"{" + b'"%s":1}' % (b"k" * 100_000), "argument supplied: " + "k" * 200),
    ],
)
async def test_bodies_that_are_no_request_are_told_so(
    server: Rig, body: bytes, message: str
) -> None:
    """400 in OpenAI's shape for whatever is not JSON, or is JSON of another kind."""
    answer = await server.chat(body)
    assert answer.status == 400
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert message in answer.error["message"]
    assert len(answer.body) < 1000


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (b"  \r\n\t" + GOOD + b"\n", "hello"),
        (with_content(b"\\ud83d\\ude00"), "\U0001f600"),
        (with_content("\U0001f600".encode()), "\U0001f600"),
        (with_content(b"\\u0000\\uffff"), "\x00\uffff"),
        (with_field(b'"temperature":1e0'), "hello"),
        (with_field(b'"temperature":-0.0'), "hello"),
        (with_field(b'"messages":[{"role":"user","content":"last wins"}]'), "last wins"),
        (b'{"\\u006dessages":[{"role":"user","content":"x"}]}', "x"),
    ],
)
async def test_odd_json_is_json(server: Rig, body: bytes, content: str) -> None:
    """White space, escapes, keys that come twice: read as other readers read them."""
    answer = await server.chat(body)
    assert answer.status == 200, answer.body
    assert server.engine.asked[-1].messages[0].content == content


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json;charset=UTF-8", 200),
        ("APPLICATION/JSON", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("application/json-seq", 415),
        ("", 415),
        ("\xff", 415),
        ("x" * 10_000, 415),
    ],
)
async def test_only_json_is_read(server: Rig, content_type: str, status: int) -> None:
    """415 says what to send instead."""
    answer = await server.chat(HELLO, headers=[("content-type", content_type)])
    assert answer.status == status
    if status == 415:
        assert answer.error["code"] == "UnsupportedMediaType"
        assert "'application/json'" in answer.error["message"]
        assert len(answer.body) < 500


async def test_a_body_is_taken_as_it_is(server: Rig) -> None:
    """A compressed one is told as such, and not as broken JSON."""
    answer = await server.chat(HELLO, headers=[("content-encoding", "Identity")])
    assert answer.status == 200
    for encoding in ("gzip", "deflate", "br, gzip"):
        answer = await server.chat(HELLO, headers=[("content-encoding", encoding)])
        assert answer.status == 415
        assert f"content encoding '{encoding}'" in answer.error["message"]
        assert "'identity'" in answer.error["message"]


async def test_a_missing_content_type_is_no_fault(server: Rig) -> None:
    """Azure does not insist."""
    lines = [("host", "x"), ("api-key", server.keys.key1), ("content-length", str(len(GOOD)))]
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(get_lines("POST", CHAT, lines) + GOOD)
    assert (await read_answer(reader)).status == 200
    writer.close()


def chunked(body: bytes, size: int) -> bytes:
    """The body in chunks."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKED = [("transfer-encoding", "chunked")]
LIMIT = 2048


async def test_bodies_up_to_the_limit_are_read_and_no_longer_ones() -> None:
    """413 with the limit and its setting, for announced and for chunked bodies alike."""
    async with rig(limits=Limits(body_bytes_max=LIMIT)) as running:
        exact = GOOD + b" " * (LIMIT - len(GOOD))
        assert (await running.chat(exact)).status == 200
        assert (await running.chat(chunked(exact, 700), headers=CHUNKED)).status == 200
        for body, headers in (
            (exact + b" ", []),
            (chunked(exact + b" ", LIMIT + 1), CHUNKED),
            (chunked(exact + b" ", 1), CHUNKED),
            (chunked(exact * 5000, 60_000), CHUNKED),
        ):
            answer = await running.chat(body, headers=headers)
            assert answer.status == 413
            assert answer.error["code"] == "RequestEntityTooLarge"
            assert answer.error["message"] == "Request body is too large."
            assert answer.error["innererror"] == {
                "limit_bytes": LIMIT,
                "setting": "limits.body_bytes_max",
            }
            assert answer.header("connection") == "close"


async def test_an_announced_size_is_refused_before_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not a byte of a body that is announced as too large is waited for."""
    monkeypatch.setattr(body_module, "LINGER_S", 0.1)
    async with rig(limits=Limits(body_bytes_max=LIMIT)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", "10000000000")]
        writer.write(get_lines("POST", CHAT, lines))
        async with asyncio.timeout(WAIT_S):
            assert (await read_answer(reader)).status == 413
            assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize("key", ["wrong", None])
async def test_a_refusal_reaches_a_client_that_is_still_sending(
    server: Rig, key: str | None
) -> None:
    """A large body with a wrong key, or a larger one than allowed, is a status to every client."""
    headers = {"content-type": "application/json", "api-key": key or server.keys.key1}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            server.url + CHAT, content=b" " * (40 << 20), headers=headers, timeout=30
        )
    assert answer.status_code == (401 if key else 413)


async def test_a_slow_body_is_read_and_its_client_still_watched(server: Rig) -> None:
    """A body in pieces, over longer than the watch for departures waits, arrives whole."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = msgspec.json.encode(HELLO | {"user": "x" * 40})
    lines = [("host", "x"), ("api-key", server.keys.key1), ("content-length", str(len(body)))]
    writer.write(get_lines("POST", CHAT, lines))
    for at in range(0, len(body), 20):
        writer.write(body[at : at + 20])
        await asyncio.sleep(0.08)
    async with asyncio.timeout(WAIT_S):
        assert (await read_answer(reader)).status == 200
    assert server.engine.asked[-1].user == "x" * 40
    writer.close()


async def test_a_body_that_does_not_come_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """408 in Azure's shape, and the connection closes."""
    monkeypatch.setattr(body_module, "LINGER_S", 0.1)
    async with rig(limits=Limits(body_read_s=0.2)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        lines = [("host", "x"), ("api-key", running.keys.key1), ("content-length", "100")]
        writer.write(get_lines("POST", CHAT, lines) + b"{")
        async with asyncio.timeout(WAIT_S):
            answer = await read_answer(reader)
            assert answer.status == 408
            assert answer.error["code"] == "Timeout"
            assert "0.2 seconds" in answer.error["message"]
            assert await reader.read() == b"", "the connection stayed open"
        writer.close()
        assert (await running.recorded()).status == 408


async def test_a_client_that_expects_continue_is_told_to_or_refused(server: Rig) -> None:
    """`100 Continue` comes only to who may go on: the others never send their body."""
    for key, status in ((server.keys.key1, 200), ("wrong", 401)):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        lines = [("host", "x"), ("api-key", key), ("expect", "100-continue")]
        writer.write(get_lines("POST", CHAT, [*lines, ("content-length", str(len(GOOD)))]))
        async with asyncio.timeout(WAIT_S):
            if status == 200:
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(GOOD)
            assert (await read_answer(reader)).status == status
        writer.close()


@pytest.mark.parametrize(
    ("extra", "status"),
    [
        ([f"x-mine-{index}" for index in range(10)], 200),
        ([f"x-mine-{index}" for index in range(11)], 431),
        ([f"x-stainless-{index}" for index in range(30)], 200),
        ([f"x-ms-{index}" for index in range(30)], 200),
        (["sec-fetch-mode", "traceparent", "origin", "openai-beta", "cookie"], 200),
        (["x-mine"] * 11, 431),
        ([f"x-mine-{index}" for index in range(10)] + ["x-ms-a", "x-stainless-b"], 200),
    ],
)
async def test_ten_headers_of_ones_own_are_allowed(
    server: Rig, extra: list[str], status: int
) -> None:
    """Azure counts what the caller made up; what SDKs and browsers add does not count."""
    answer = await server.chat(HELLO, headers=[(name, "x") for name in extra])
    assert answer.status == status
    if status == 431:
        assert answer.error["code"] == "431"
        assert answer.error["innererror"] == {"limit": 10, "setting": "limits.custom_headers_max"}
        assert answer.header("x-ms-region") == "Local"
