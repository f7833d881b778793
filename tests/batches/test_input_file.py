"""Reading the file of a batch."""

from __future__ import annotations

import codecs
import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from linarite.batches.enqueued import EnqueuedTokens
from linarite.batches.input_file import (
    Examined,
    Line,
    Rules,
    check_endpoint,
    endpoint_of,
    examine,
    lines_of,
)
from linarite.domain.batch_errors import BadFile
from linarite.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

RULES = Rules("/chat/completions", 100_000, 1000, lambda name: name == "later")


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    """It, cut into pieces."""
    for at in range(0, len(content), size):
        yield content[at : at + size]


@pytest.mark.parametrize("size", range(1, 12))
async def test_lines_are_the_same_however_they_come(size: int) -> None:
    """Blank ones count, and are no lines; a byte order mark and what ends a line are none of it."""
    content = codecs.BOM_UTF8 + b"one\r\n\n  \ntwo\n" + "drei ü".encode()
    found = [line async for line in lines_of(pieces(content, size), 100)]
    assert found == [Line(1, b"one"), Line(4, b"two"), Line(5, "drei ü".encode())]


async def test_a_line_that_never_ends_takes_no_memory() -> None:
    """It is cut, and the next one is whole."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000
        yield b"\nnext"

    tracemalloc.start()
    found = [line async for line in lines_of(endless(), 1000)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [Line(1, b"x" * 1001), Line(2, b"next")]
    assert most < 8_000_000


def request(name: str, size: int = 1, **more: object) -> bytes:
    """A line."""
    body = {"model": "later", "messages": "m" * size}
    asked = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(asked | more).encode()


async def examined(content: bytes, rules: Rules = RULES) -> Examined:
    """What a file is found to be."""
    return await examine(lines_of(pieces(content, 65_536), rules.line_bytes_max), rules)


async def codes(content: bytes, rules: Rules = RULES) -> list[tuple[str, int | None]]:
    """What is wrong with it."""
    with pytest.raises(BadFile) as bad:
        await examined(content, rules)
    return [(each.code, each.line) for each in bad.value.errors]


async def test_a_file_as_large_as_may_be() -> None:
    """Of its requests no more is held than their names' digests."""

    async def large() -> AsyncIterator[bytes]:
        for at in range(0, 20_000, 1000):
            yield b"".join(request(f"{number:0100}") + b"\n" for number in range(at, at + 1000))

    tracemalloc.start()
    found = await examine(lines_of(large(), 1000), RULES)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.requests, found.deployment) == (20_000, "later")
    assert most < 6_000_000


async def test_tokens_are_a_quarter_of_the_bodies() -> None:
    """Rounded up for each."""
    body = len(json.dumps({"model": "later", "messages": "m" * 100}))
    found = await examined(request("a", 100) + b"\n" + request("b", 100))
    assert found.tokens == 2 * -(-body // 4)


async def test_errors_have_their_lines() -> None:
    """Of all lines, a hundred at most."""
    content = b"\n".join([request("a"), b"{", request("a"), request("b", url="/v1/files"), b"[]"])
    assert await codes(content) == [
        ("invalid_json_line", 2),
        ("duplicate_custom_id", 3),
        ("url_mismatch", 4),
        ("invalid_request", 5),
    ]
    assert len(await codes(b"{\n" * 1000)) == 100


async def test_too_many_requests_are_not_read_to_their_end() -> None:
    """It is enough to know that they are too many."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield request(f"{read}") + b"\n"

    with pytest.raises(BadFile) as bad:
        await examine(lines_of(endless(), 1000), Rules("/x", 5, 1000, lambda _: True))
    assert [each.code for each in bad.value.errors] == ["too_many_tasks"]
    assert read <= 7


@pytest.mark.parametrize(
    "text",
    [b'{"custom_id": "a"', b"\xff\xfe", b"[" * 900, b'"text"', b"7", b'{"custom_id": 1}', b"null"],
)
async def test_what_is_no_request(text: bytes) -> None:
    """Whatever it is, it is told, and nothing breaks."""
    ((code, line),) = await codes(text)
    assert (code in {"invalid_json_line", "invalid_request"}, line) == (True, 1)


@pytest.mark.parametrize("prefix", ["", "/v1", "/openai/v1", "/openai"])
def test_endpoints_have_several_names(prefix: str) -> None:
    """With what clients put before them."""
    assert endpoint_of(f"{prefix}/chat/completions") == "/chat/completions"
    check_endpoint(f"{prefix}/embeddings", ["/embeddings"])
    with pytest.raises(InvalidRequest, match="'/v1/embeddings'"):
        check_endpoint(f"{prefix}/files", ["/embeddings"])


def test_tokens_are_held_by_deployment() -> None:
    """What one batch holds is not there for another, until it has ended."""
    enqueued = EnqueuedTokens()
    assert enqueued.hold("/A", "one", 60, 100) is None
    assert enqueued.hold("/a", "two", 41, 100) == 60
    assert enqueued.hold("/a", "one", 70, 100) is None
    assert enqueued.hold("/b", "two", 100, 100) is None
    enqueued.release("one")
    assert enqueued.hold("/a", "two", 100, 100) is None
    assert enqueued.hold("/a", "three", 10**9, None) is None
