"""Files, by the official clients."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from tests.contract.sdk.conftest import client_of
from tests.serving import SIMULATED, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI

    from tests.serving import Server

LINE = b'{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n'
DAY_S = 86_400
FORM = {"content-type": "multipart/form-data; boundary=b"}
LAST = b"--b--\r\n"
SMALL = """
[files]
batch_bytes_max = 2000
file_bytes_max = 3000000
lasting_max = 5
others_max = 12
"""


def part(name: str, value: bytes, more: str = "") -> bytes:
    """A part of a form."""
    head = f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


PURPOSE = part("purpose", b"assistants")
WHOLE_FILE = part("file", b"whole", '; filename="x"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with small bounds."""
    yield from serving(tmp_path_factory.mktemp("files"), SIMULATED + SMALL)


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[OpenAI]:
    """Each dialect's."""
    with client_of(server, request.param) as made:
        yield made


@pytest.fixture(autouse=True)
def _none_left(client: OpenAI) -> Iterator[None]:
    yield
    for file in client.files.list():
        client.files.delete(file.id)


def test_a_file_lives(client: OpenAI) -> None:
    """Made, found, listed, read, deleted; then it is absent like any other."""
    made = client.files.create(file=("über.jsonl", LINE * 3), purpose="batch")
    assert (made.bytes, made.filename, made.purpose) == (len(LINE) * 3, "über.jsonl", "batch")
    assert made.status == "processed"
    assert client.files.retrieve(made.id) == made
    assert client.files.wait_for_processing(made.id) == made
    content = client.files.content(made.id)
    assert content.read() == LINE * 3
    headers = content.response.headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment;")
    assert client.files.delete(made.id).deleted
    for call in (client.files.retrieve, client.files.delete, client.files.content):
        with pytest.raises(NotFoundError):
            call(made.id)


def test_large_files_are_streamed(client: OpenAI) -> None:
    """More than a piece; an empty one too."""
    large = bytes(range(256)) * 10_000
    made = client.files.create(file=("a.bin", io.BytesIO(large)), purpose="assistants")
    assert client.files.content(made.id).read() == large
    empty = client.files.create(file=("b.txt", b""), purpose="assistants")
    assert client.files.content(empty.id).read() == b""


def test_lists_come_in_parts(client: OpenAI) -> None:
    """The client follows them by itself; they can be narrowed and turned around."""
    names = [f"{number}.txt" for number in range(7)]
    for name in names:
        purpose: Any = "assistants" if name < "4" else "user_data"
        client.files.create(file=(name, b"text"), purpose=purpose)
    assert [each.filename for each in client.files.list(limit=3)] == names[::-1]
    assert [each.filename for each in client.files.list(limit=2, order="asc")] == names
    assert [each.filename for each in client.files.list(purpose="user_data")] == names[:3:-1]
    first = client.files.list(limit=3)
    assert (len(first.data), first.has_more) == (3, True)
    client.files.delete(first.data[-1].id)
    assert [each.filename for each in first.get_next_page().data] == names[3::-1][:3]


def test_a_file_expires(client: OpenAI) -> None:
    """When it does is told; other times than Azure's are refused."""
    lives: Any = {"anchor": "created_at", "seconds": 14 * DAY_S}
    made = client.files.create(file=("a.jsonl", LINE), purpose="batch", expires_after=lives)
    assert made.expires_at == made.created_at + 14 * DAY_S
    short: Any = {"anchor": "created_at", "seconds": 60}
    with pytest.raises(BadRequestError, match=r"expires_after\[seconds\]"):
        client.files.create(file=("a.jsonl", LINE), purpose="batch", expires_after=short)


@pytest.mark.parametrize(
    ("name", "content", "purpose", "status", "words"),
    [
        ("a.txt", LINE, "batch", 400, "does not end in .jsonl"),
        ("a.jsonl", b"\xff\xfe1", "batch", 400, "not text in UTF-8"),
        ("a.jsonl", b"custom_id,1", "fine-tune", 400, "not a JSON object"),
        ("a.jsonl", LINE * 30, "batch", 413, "larger than 2000 bytes"),
        ("a.bin", b"x" * 3_000_001, "assistants", 413, "larger than 3000000 bytes"),
        ("a.txt", b"x", "pictures", 400, "'pictures' is not one of"),
    ],
)
def test_what_is_refused(
    client: OpenAI, name: str, content: bytes, purpose: str, status: int, words: str
) -> None:
    """With the reason, and nothing of it is kept."""
    with pytest.raises(APIStatusError, match=words) as refused:
        client.files.create(file=(name, content), purpose=cast("Any", purpose))
    assert refused.value.status_code == status
    assert list(client.files.list()) == []


def test_as_many_as_an_account_may_have(client: OpenAI) -> None:
    """One more is refused; for batches, unless it expires."""
    lives: Any = {"anchor": "created_at", "seconds": 14 * DAY_S}
    for number in range(12):
        life: Any = {"expires_after": lives} if number % 2 else {}
        client.files.create(file=(f"{number}.txt", b"x"), purpose="assistants", **life)
    for life in ({}, {"expires_after": lives}):
        with pytest.raises(BadRequestError, match=r"files\.others_max"):
            client.files.create(file=("more.txt", b"x"), purpose="assistants", **life)
    for number in range(5):
        client.files.create(file=(f"{number}.jsonl", LINE), purpose="batch")
    with pytest.raises(BadRequestError, match=r"files\.lasting_max"):
        client.files.create(file=("more.jsonl", LINE), purpose="batch")
    client.files.create(file=("more.jsonl", LINE), purpose="batch", expires_after=lives)


def test_answers_of_the_dated_dialect(server: Server) -> None:
    """201 with the place; older versions delete without a word."""
    with httpx.Client(base_url=server.endpoint, headers={"api-key": server.key}) as http:
        form = {"purpose": "assistants"}
        where = "/openai/files?api-version=2024-06-01"
        made = http.post(where, data=form, files={"file": ("a.txt", b"x")})
        assert made.status_code == 201, made.text
        place = made.headers["location"]
        assert place == f"/openai/files/{made.json()['id']}?api-version=2024-06-01"
        gone = http.delete(place)
        assert (gone.status_code, gone.content) == (204, b"")
        absent = http.get(place)
        assert (absent.status_code, absent.json()["error"]["code"]) == (404, "notFound")


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({"content-type": "application/json"}, b"{}", "multipart/form-data"),
        ({"content-type": "multipart/form-data"}, b"x", "boundary"),
        ({"content-type": "multipart/form-data; boundary=b"}, b"--x", "can't be read as a form"),
        ({"content-type": "multipart/form-data; boundary=b"}, b"--b--\r\n", "Missing required"),
        (
            {"content-type": "multipart/form-data; boundary=b"},
            b'--b\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nhalf',
            "breaks off",
        ),
        (FORM, PURPOSE + WHOLE_FILE + part("late", b"\xff") + LAST, "not UTF-8"),
        (FORM, PURPOSE + WHOLE_FILE + part("late", b"x" * 70_000) + LAST, "more than 65536 bytes"),
        (FORM, PURPOSE + WHOLE_FILE + WHOLE_FILE + LAST, "Only one 'file'"),
        (FORM, WHOLE_FILE + LAST, "'purpose'"),
        (
            FORM,
            PURPOSE
            + WHOLE_FILE
            + part("expires_after[anchor]", b"created_at")
            + part("expires_after[seconds]", b"000001209600" + b"0" * 20)
            + LAST,
            "expires_after",
        ),
    ],
)
def test_forms_that_are_none(
    server: Server, headers: dict[str, str], body: bytes, words: str
) -> None:
    """A 4xx that says what is wrong; nothing is left, not even the file that had come whole."""
    url = f"{server.endpoint}/openai/v1/files"
    answer = httpx.post(url, headers={"api-key": server.key} | headers, content=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert words in answer.text
    assert httpx.get(url, headers={"api-key": server.key}).json()["data"] == []
    kept = server.home / "files"
    assert not kept.exists() or list(kept.iterdir()) == []


@pytest.mark.parametrize("limit", ["0", "x", "10001", "0000000199999999999999", "9" * 5000])
def test_limits_of_lists_that_are_none(server: Server, limit: str) -> None:
    """Whatever its length."""
    headers = {"api-key": server.key}
    answer = httpx.get(f"{server.endpoint}/openai/v1/files?limit={limit}", headers=headers)
    assert answer.status_code == 400, answer.text
