"""Files that come in parts, by the official clients."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from tests.contract.sdk.conftest import client_of
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI

    from tests.serving import Server

BYTES = bytes(range(256)) * 9_000
SMALL = """
[files]
batch_bytes_max = 2000
upload_part_bytes_max = 2500000
upload_bytes_max = 3000000
uploads_max = 3
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with small bounds."""
    yield from serving(tmp_path_factory.mktemp("uploads"), SIMULATED + SMALL)


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[OpenAI]:
    """Each dialect's."""
    with client_of(server, request.param) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_left(client: OpenAI, server: Server) -> Iterator[None]:
    """Whatever a test did: with its files deleted, not one byte of a part is there."""
    yield
    for file in client.files.list():
        client.files.delete(file.id)
    kept = server.home / "files"
    assert not kept.exists() or list(kept.iterdir()) == []


def begun(client: OpenAI, size: int = len(BYTES), **more: Any) -> str:  # noqa: ANN401 - fields
    """The id of a new upload."""
    fields: dict[str, Any] = {"filename": "a.bin", "purpose": "assistants"} | more
    made = client.uploads.create(bytes=size, mime_type="application/octet-stream", **fields)
    assert (made.status, made.bytes, made.file) == ("pending", size, None)
    assert made.expires_at == made.created_at + 3600
    return made.id


@pytest.mark.parametrize("part_size", [64 * 1024, 1_000_000, len(BYTES)])
def test_a_file_comes_in_chunks(client: OpenAI, part_size: int) -> None:
    """As the client cuts it: the file is there as it was, with its checksum."""
    done = client.uploads.upload_file_chunked(
        file=BYTES,
        filename="large.bin",
        bytes=len(BYTES),
        mime_type="application/octet-stream",
        purpose="assistants",
        part_size=part_size,
        md5=hashlib.md5(BYTES).hexdigest(),  # noqa: S324 - the protocol's
    )
    assert (done.status, done.filename) == ("completed", "large.bin")
    assert done.file is not None
    assert (done.file.bytes, done.file.purpose) == (len(BYTES), "assistants")
    assert client.files.content(done.file.id).read() == BYTES
    assert [each.id for each in client.files.list()] == [done.file.id]


def test_the_order_is_that_of_completion(client: OpenAI) -> None:
    """Parts come in any order, and one that is not named is left out; asked again, the same."""
    upload = begun(client, 6)
    parts = [client.uploads.parts.create(upload, data=each) for each in (b"ef", b"xx", b"abcd")]
    assert {part.upload_id for part in parts} == {upload}
    chosen = [parts[2].id, parts[0].id]
    done = client.uploads.complete(upload, part_ids=chosen)
    assert done.file is not None
    assert client.files.content(done.file.id).read() == b"abcdef"
    assert client.uploads.complete(upload, part_ids=chosen) == done
    with pytest.raises(BadRequestError, match="is completed"):
        client.uploads.complete(upload, part_ids=chosen[::-1])
    with pytest.raises(BadRequestError, match="is completed"):
        client.uploads.parts.create(upload, data=b"late")
    with pytest.raises(BadRequestError, match="is completed"):
        client.uploads.cancel(upload)


def test_what_does_not_fit_stays_pending(client: OpenAI) -> None:
    """Wrong counts, checksums and parts are refused with the reason; then the right ones do."""
    upload = begun(client, 4)
    one, two = (client.uploads.parts.create(upload, data=each).id for each in (b"ab", b"cd"))
    wrong: list[tuple[list[str], str | None, str]] = [
        ([one], None, "have 2 bytes, and 4 were announced"),
        ([one, two], "0" * 32, "their md5 is"),
        ([one, two], "x", "32 hexadecimal digits"),
        ([one, one], None, "named twice"),
        ([one, "part_absent"], None, "no part 'part_absent'"),
    ]
    for part_ids, md5, words in wrong:
        with pytest.raises(BadRequestError, match=words):
            client.uploads.complete(upload, part_ids=part_ids, md5=md5 or "")
    assert list(client.files.list()) == []
    done = client.uploads.complete(upload, part_ids=[one, two])
    assert done.status == "completed"


def test_a_cancelled_one_is_over(client: OpenAI) -> None:
    """Its parts are gone at once."""
    upload = begun(client)
    client.uploads.parts.create(upload, data=b"ab")
    assert client.uploads.cancel(upload).status == "cancelled"
    with pytest.raises(BadRequestError, match="is cancelled"):
        client.uploads.parts.create(upload, data=b"cd")


def test_bounds(client: OpenAI) -> None:
    """Of an upload, of a part, of their sum, of a purpose, and of how many there are."""
    lines: dict[str, Any] = {"filename": "a.jsonl", "purpose": "batch"}
    for size, fields, words in (
        (3_000_001, {}, "larger than 3000000 bytes"),
        (2001, lines, "larger than 2000 bytes"),
    ):
        with pytest.raises(APIStatusError, match=words) as refused:
            begun(client, size, **fields)
        assert refused.value.status_code == 413
    uploads = [begun(client, 2_000_000) for _ in range(3)]
    with pytest.raises(BadRequestError, match=r"files\.uploads_max"):
        begun(client)
    with pytest.raises(APIStatusError, match="larger than 2500000 bytes") as refused:
        client.uploads.parts.create(uploads[0], data=b"x" * 2_500_001)
    assert refused.value.status_code == 413
    client.uploads.parts.create(uploads[0], data=b"x" * 2_000_000)
    with pytest.raises(APIStatusError, match="larger than 3000000 bytes"):
        client.uploads.parts.create(uploads[0], data=b"x" * 2_000_000)
    for upload in uploads:
        client.uploads.cancel(upload)


def test_what_is_for_a_purpose_is_looked_at(client: OpenAI) -> None:
    """Lines must be lines, and a file may expire."""
    upload = begun(client, 3, filename="a.jsonl", purpose="batch")
    part = client.uploads.parts.create(upload, data=b"1,2").id
    with pytest.raises(BadRequestError, match="not a JSON object"):
        client.uploads.complete(upload, part_ids=[part])
    client.uploads.cancel(upload)
    life: Any = {"anchor": "created_at", "seconds": 14 * 86_400}
    empty = begun(client, 0, expires_after=life)
    done = client.uploads.complete(empty, part_ids=[])
    assert done.file is not None
    assert done.file.expires_at == done.file.created_at + 14 * 86_400


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"purpose": "pictures"}, "'pictures' is not one of"),
        ({"bytes": -1}, "'bytes' must be 0 or more"),
        ({"bytes": "many"}, "expected an integer"),
        ({"expires_after": {"anchor": "created_at", "seconds": 5}}, "expires_after.seconds"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_what_is_refused(server: Server, fields: dict[str, Any], words: str) -> None:
    """A 400 that names the field."""
    whole = {"filename": "a", "purpose": "assistants", "bytes": 1, "mime_type": "text/plain"}
    answer = httpx.post(
        f"{server.endpoint}/openai/v1/uploads",
        headers={"api-key": server.key},
        json=whole | fields,
    )
    assert answer.status_code == 400, answer.text
    assert words in answer.text


def test_an_absent_one(client: OpenAI) -> None:
    """Is told so by every operation."""
    absent = f"upload_{'0' * 32}"
    with pytest.raises(NotFoundError):
        client.uploads.parts.create(absent, data=b"x")
    with pytest.raises(NotFoundError):
        client.uploads.complete(absent, part_ids=[])
    with pytest.raises(NotFoundError):
        client.uploads.cancel(absent)


def test_the_dated_dialect_tells_the_place(server: Server) -> None:
    """200, unlike a file's 201."""
    made = httpx.post(
        f"{server.endpoint}/openai/uploads?api-version=2024-10-21",
        headers={"api-key": server.key},
        json={"filename": "a", "purpose": "assistants", "bytes": 1, "mime_type": "text/plain"},
    )
    assert made.status_code == 200, made.text
    place = made.headers["location"]
    assert place == f"/openai/uploads/{made.json()['id']}?api-version=2024-10-21"
    cancelled = httpx.post(
        f"{server.endpoint}{place.replace('?', '/cancel?')}", headers={"api-key": server.key}
    )
    assert cancelled.json()["status"] == "cancelled"
    absent = f"{server.endpoint}/openai/uploads/upload_0/cancel?api-version=2024-10-21"
    told = httpx.post(absent, headers={"api-key": server.key})
    assert (told.status_code, told.json()["error"]["code"]) == (404, "notFound")
