"""What responses may be asked with: files, references, and JSON of any depth."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.dataplane.operations.responses import stored_files
from linarite.files import NewFile
from linarite.responses import conversations, keeper
from linarite.storage.memory.stored_objects import MemoryStoredObjects
from tests.dataplane.rig import ABLE, ScriptedEngine, rig
from tests.vector_stores.documents import docx, pdf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.stored_object import StoredObject
    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

WORDS = "Parcels are sent on Mondays."
CALL = {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"}


@pytest.fixture(scope="module")
async def running() -> AsyncIterator[Rig]:
    """A server whose engine remembers what it was asked."""
    async with rig(ScriptedEngine()) as made:
        yield made


async def asked(running: Rig, given: Any, **more: Any) -> Answer:  # noqa: ANN401 - any JSON
    """A request for a response with this input."""
    body = {"model": "gpt", "input": given} | more
    return await running.send("POST", "/openai/v1/responses", body)


async def stored(running: Rig, content: bytes) -> StoredObject:
    """A file of the account's."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    new = NewFile(account_id=running.account_id, owner="", purpose="user_data", filename="a.txt")
    return await running.kit.files.keep(new, await running.kit.files.receive("a", pieces()))


def told(part: dict[str, Any]) -> list[dict[str, Any]]:
    """A call that came to this."""
    return [CALL, {"type": "function_call_output", "call_id": "c", "output": [part]}]


def message(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of these parts."""
    return [{"role": "user", "content": [*parts]}]


def file_part(file_id: str) -> dict[str, Any]:
    """A file as content."""
    return {"type": "input_file", "file_id": file_id}


async def test_files_of_a_request_are_bounded_together(
    running: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they stand, and each time that they are named."""
    monkeypatch.setattr(stored_files, "FILE_BYTES_MAX", 10)
    part = file_part((await stored(running, b"four")).id)
    assert (await asked(running, message(part, part))).status == 200
    refused = await asked(running, [*told(part), *message(part, part)])
    assert refused.status == 400
    assert "12 bytes together" in refused.json()["error"]["message"]


async def test_strict_schemas_are_held_to_their_rules(running: Rig) -> None:
    """As in chats, under the names that things have here; unsaid, it is as strict as it can be."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    function = {"type": "function", "name": "f", "parameters": schema}
    wanted = {"type": "json_schema", "name": "p", "schema": schema}
    for strict, status in ((True, 400), (False, 200), (None, 200)):
        answer = await asked(running, "Hi", tools=[function | {"strict": strict}])
        assert answer.status == status
        if status == 400:
            assert answer.error["param"] == "tools[0].parameters"
            assert answer.error["code"] == "invalid_function_parameters"
        answer = await asked(running, "Hi", text={"format": wanted | {"strict": strict}})
        assert answer.status == status
        if status == 400:
            assert answer.error["param"] == "text.format.schema"
            assert answer.error["code"] == "invalid_json_schema"
            assert "'additionalProperties'" in answer.error["message"]


async def test_what_a_tool_found_may_be_a_file(running: Rig) -> None:
    """The model reads its bytes; one that is not there is told."""
    file = await stored(running, b"found")
    assert (await asked(running, told(file_part(file.id)))).status == 200
    content: Any = running.engine.asked[-1].messages[-1].content
    assert content[0].file["file_data"].endswith(base64.b64encode(b"found").decode())
    refused = await asked(running, told(file_part("file-elsewhere")))
    assert refused.status == 400
    assert refused.json()["error"]["code"] == "file_not_found"


@pytest.fixture(scope="module")
async def texts_only() -> AsyncIterator[Rig]:
    """A server whose model takes no files."""
    able = msgspec.structs.replace(ABLE, reads_files=False)
    async with rig(ScriptedEngine(able=able)) as made:
        yield made


def inline(content: bytes, media_type: str = "", **more: str) -> dict[str, Any]:
    """A file in the request itself."""
    encoded = base64.b64encode(content).decode()
    data = f"data:{media_type};base64,{encoded}" if media_type else encoded
    return {"type": "input_file", "file_data": data, **more}


@pytest.mark.parametrize(
    "part",
    [
        inline(pdf(WORDS), "application/pdf", filename="a.pdf"),
        inline(pdf(WORDS), "application/pdf"),
        inline(docx(WORDS), "application/octet-stream", filename="a.docx"),
        inline(WORDS.encode(), filename="a.md"),
    ],
)
async def test_a_model_of_texts_is_given_what_a_document_says(
    texts_only: Rig, part: dict[str, Any]
) -> None:
    """Behind its name, among the other parts; what is kept is the document."""
    question = {"type": "input_text", "text": "When?"}
    answer = await asked(texts_only, message(part, question))
    assert answer.status == 200
    content: Any = texts_only.engine.asked[-1].messages[-1].content
    assert [each.text for each in content[1:]] == ["When?"]
    assert content[0].text.startswith(f"File {part.get('filename', 'file.pdf')}:\n\n")
    assert WORDS in content[0].text
    items = await texts_only.send("GET", f"/openai/v1/responses/{answer.json()['id']}/input_items")
    assert items.json()["data"][0]["content"][0]["file_data"] == part["file_data"]


async def test_a_stored_document_is_read_as_well(texts_only: Rig) -> None:
    """Also where a tool found it, and again by what goes on from it."""
    file = await stored(texts_only, WORDS.encode())
    for given in (message(file_part(file.id)), told(file_part(file.id))):
        answer = await asked(texts_only, given)
        assert answer.status == 200
        assert WORDS in str(texts_only.engine.asked[-1].messages[-1].content)
    more = {"previous_response_id": answer.json()["id"]}
    assert (await asked(texts_only, "And?", **more)).status == 200
    assert WORDS in str(texts_only.engine.asked[-1].messages)


@pytest.mark.parametrize(
    ("part", "code", "words"),
    [
        (inline(b"%PDF-1.4 broken", filename="a.pdf"), "invalid_file", "'a.pdf' can't be given"),
        (inline(b"\0\1\2", filename="a.bin"), "invalid_file", "Files like 'a.bin' are not read"),
        ({"type": "input_file", "file_data": "data:a/b;base64,*"}, "invalid_value", "a data URL"),
    ],
)
async def test_what_is_no_document_is_refused(
    texts_only: Rig, part: dict[str, Any], code: str, words: str
) -> None:
    """With the reason; no model is asked."""
    before = len(texts_only.engine.asked)
    refused = await asked(texts_only, message(part))
    assert (refused.status, refused.error["code"]) == (400, code)
    assert refused.error["param"] == "input"
    assert words in refused.error["message"]
    assert len(texts_only.engine.asked) == before


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image"},
        {"type": "input_file"},
        {"type": "input_file", "file_url": "https://example.com/a.pdf"},
    ],
)
async def test_what_a_tool_found_is_looked_at(running: Rig, part: dict[str, Any]) -> None:
    """As what a message has."""
    for given in (told(part), message(part)):
        assert (await asked(running, given)).status == 400


async def test_a_file_that_has_not_come_is_told(running: Rig) -> None:
    """It is there, but has no bytes, or never will."""
    kit = running.kit
    new = NewFile(account_id=running.account_id, owner="", purpose="user_data", filename="a.txt")
    made = await kit.imports.ask(new, "https://example.com/a.txt")
    try:
        refused = await asked(running, message(file_part(made.id)))
    finally:
        await kit.imports.stop()
    assert refused.status == 400
    assert "has no content" in refused.json()["error"]["message"]


async def test_an_item_is_named_once(running: Rig) -> None:
    """Lists of the input are followed by ids."""
    made = (await asked(running, "hello")).json()
    reference = {"type": "item_reference", "id": made["output"][0]["id"]}
    assert (await asked(running, [reference, *message()])).status == 200
    for more in ({}, {"previous_response_id": made["id"]}):
        refused = await asked(running, [reference, reference], **more)
        assert refused.status == 400
        assert "Duplicate item found" in refused.json()["error"]["message"]


async def test_responses_are_read_once_for_all_their_items(
    running: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are named."""
    made = (await asked(running, [*message(), *message(), *message()])).json()
    listed = await running.send("GET", f"/openai/v1/responses/{made['id']}/input_items")
    references = [{"type": "item_reference", "id": each["id"]} for each in listed.json()["data"]]
    read: list[str] = []
    get = MemoryStoredObjects.get

    async def counted(self: MemoryStoredObjects, *wanted: str) -> StoredObject | None:
        read.append(wanted[-1])
        return await get(self, *wanted)

    monkeypatch.setattr(MemoryStoredObjects, "get", counted)
    assert (await asked(running, references)).status == 200
    assert read == [made["id"]]


def nested(depth: int) -> dict[str, Any]:
    """JSON of that depth."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


async def test_what_is_nested_too_deeply_is_refused(running: Rig) -> None:
    """It could be answered and then not be kept: whatever has no shape of its own is looked at."""
    deep = nested(100)
    said = {"type": "output_text", "text": "x", "annotations": [deep]}
    custom = {"type": "custom", "name": "free"}
    chosen = {"type": "allowed_tools", "mode": "auto", "tools": [custom | {"a": deep}]}
    for given, more in (
        ([{"role": "assistant", "content": [said]}], {}),
        ("hi", {"tools": [custom | {"format": {"type": "text", "a": deep}}]}),
        ("hi", {"tools": [custom], "tool_choice": chosen}),
    ):
        refused = await asked(running, given, **more)
        assert refused.status == 400
        assert "nested" in refused.json()["error"]["message"]


async def test_what_was_said_before_is_bounded(
    running: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before it is read, and a little more of it can't be added without end."""
    monkeypatch.setattr(keeper, "CONTEXT_BYTES_MAX", 10_000)
    monkeypatch.setattr(conversations, "CONTEXT_BYTES_MAX", 10_000)
    conversation = (await running.send("POST", "/openai/v1/conversations", {})).json()["id"]
    for name, value in (("previous_response_id", ""), ("conversation", conversation)):
        answer = await asked(running, "x" * 3000, **({name: value} if value else {}))
        assert answer.status == 200
        for _ in range(5):
            answer = await asked(running, "x" * 3000, **{name: value or answer.json()["id"]})
            if answer.status != 200:
                break
        assert answer.status == 400
        problem = answer.json()["error"]
        assert (problem["param"], problem["code"]) == (name, "context_length_exceeded")
    path = f"/openai/v1/conversations/{conversation}/items"
    refused = await running.send("POST", path, {"items": [{"role": "user", "content": "more"}]})
    assert refused.json()["error"]["code"] == "context_length_exceeded"
