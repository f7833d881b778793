"""Conversations made short: what stays, what becomes notes, and who can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.chat import ChatDelta, SystemMessage
from linarite.domain.errors import ContextLengthExceeded
from tests.dataplane.rig import ABLE, ScriptedEngine, rig
from tests.dataplane.test_responses import says

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from linarite.domain.chat import ChatAsk, ChatEvent
    from tests.dataplane.rig import Rig
    from tests.web.wire import Answer

pytestmark = pytest.mark.anyio

PATH = "/openai/v1/responses"
COMPACT = f"{PATH}/compact"
TALK: list[dict[str, Any]] = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "My name is Ada."},
    {"role": "assistant", "content": "Hello Ada."},
    {"type": "function_call", "call_id": "c1", "name": "look_up", "arguments": '{"of":"Ada"}'},
    {"type": "function_call_output", "call_id": "c1", "output": "born 1815"},
]


@pytest.fixture(scope="module")
async def scripted() -> AsyncIterator[Rig]:
    """A server whose engine's script each test sets."""
    able = msgspec.structs.replace(ABLE, context_tokens=2000)
    async with rig(ScriptedEngine(able=able)) as running:
        yield running


async def compacted(running: Rig, **said: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the body
    """A conversation made short."""
    answer = await running.send("POST", COMPACT, {"model": "gpt"} | said)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()
    return found


async def go_on(running: Rig, output: list[Any], **more: Any) -> Answer:  # noqa: ANN401 - of `send`
    """Ask something behind it."""
    items = [*output, {"role": "user", "content": "And now?"}]
    return await running.send("POST", PATH, {"model": "gpt", "input": items}, **more)


async def test_what_a_person_said_stays_and_the_rest_becomes_notes(scripted: Rig) -> None:
    """The model is given all of it; what it writes comes back sealed, and is read in its place."""
    scripted.engine.script = says(ChatDelta(content="Ada, "), ChatDelta(content="born 1815"))
    made = await compacted(scripted, input=TALK)
    assert made["object"] == "response.compaction"
    assert made["id"].startswith("resp_")
    assert made["usage"]["input_tokens"] == 3
    kinds = [(each["type"], each.get("role")) for each in made["output"]]
    assert kinds == [("message", "user"), ("compaction", None)]
    assert "Ada" not in made["output"][-1]["encrypted_content"]
    told = scripted.engine.asked[-1].messages
    assert isinstance(told[0], SystemMessage)
    for piece in ("Be brief.", "My name is Ada.", "Hello Ada.", "look_up", "born 1815"):
        assert piece in str(told[1].content)
    assert (await go_on(scripted, made["output"])).status == 200
    read = scripted.engine.asked[-1].messages
    kinds_read = [type(each).__name__ for each in read]
    assert kinds_read == ["DeveloperMessage", "UserMessage", "AssistantMessage", "UserMessage"]
    assert read[0].content == "Be brief."
    assert "Ada, born 1815" in str(read[2].content)


async def test_what_was_made_short_can_be_made_short_again(scripted: Rig) -> None:
    """The older notes are part of what is told, and instructions stay in force."""
    scripted.engine.script = says(ChatDelta(content="first notes"))
    first = await compacted(scripted, input=TALK)
    more = [*first["output"], {"role": "user", "content": "Next."}]
    second = await compacted(scripted, input=more)
    assert "first notes" in str(scripted.engine.asked[-1].messages[1].content)
    assert [each["type"] for each in second["output"]] == ["message", "message", "compaction"]
    await go_on(scripted, second["output"])
    assert scripted.engine.asked[-1].messages[0].content == "Be brief."


async def test_a_stored_response_is_made_short_with_all_it_went_on_from(scripted: Rig) -> None:
    """Named as what it goes on from; it stays as it is."""
    scripted.engine.script = says(ChatDelta(content="hello"))
    first = (await scripted.send("POST", PATH, {"model": "gpt", "input": "one"})).json()
    body = {"model": "gpt", "input": "two", "previous_response_id": first["id"]}
    second = (await scripted.send("POST", PATH, body)).json()
    made = await compacted(scripted, previous_response_id=second["id"], instructions="As a poet.")
    texts = [each["content"][0]["text"] for each in made["output"][:-1]]
    assert texts == ["one", "two"]
    assert "As a poet." in str(scripted.engine.asked[-1].messages[1].content)
    assert (await scripted.send("GET", f"{PATH}/{second['id']}")).status == 200


async def test_notes_are_for_one_account(pair: Rig) -> None:
    """Another account's endpoint can't open them, nor can anything that was changed."""
    pair.engine.script = says(ChatDelta(content="secret"))
    at = "/linarite/openai/v1/responses"
    made = (await pair.send("POST", f"{at}/compact", {"model": "gpt", "input": "hello"})).json()
    items = [*made["output"], {"role": "user", "content": "And?"}]
    body: dict[str, Any] = {"model": "gpt", "input": items}
    assert (await pair.send("POST", at, body)).status == 200
    theirs = "/other/openai/v1/responses"
    body["model"] = "theirs"
    refused = await pair.send("POST", theirs, body, key=pair.other_keys.key1)
    assert (refused.status, refused.error["code"]) == (400, "invalid_encrypted_content")
    items[-2]["encrypted_content"] = items[-2]["encrypted_content"][:-4] + "AAAA"
    changed = await pair.send("POST", at, body | {"model": "gpt"})
    assert (changed.status, changed.error["code"]) == (400, "invalid_encrypted_content")
    assert changed.error["param"] == "input.encrypted_content"


async def test_notes_get_the_room_that_there_is(scripted: Rig) -> None:
    """What fits with shorter notes is made short; what does not fit at all is refused."""
    asked: list[int | None] = []

    async def full(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        asked.append(ask.completion_tokens_max)
        if ask.completion_tokens_max == 1024:
            raise ContextLengthExceeded(2000, 1900, 1024)
        async for event in says(ChatDelta(content="notes"))(ask):
            yield event

    scripted.engine.script = full
    await compacted(scripted, input=TALK)
    assert asked == [1024, 100]

    async def too_long(ask: ChatAsk) -> AsyncGenerator[ChatEvent, None]:
        raise ContextLengthExceeded(2000, 2500, ask.completion_tokens_max or 0)
        yield  # a generator

    scripted.engine.script = too_long
    refused = await scripted.send("POST", COMPACT, {"model": "gpt", "input": TALK})
    assert (refused.status, refused.error["code"]) == (400, "context_length_exceeded")
    assert refused.error["param"] == "input"


async def test_silence_is_no_summary(scripted: Rig) -> None:
    """A model that writes nothing has failed, and the client keeps what it had."""
    scripted.engine.script = says(ChatDelta(content=" "))
    failed = await scripted.send("POST", COMPACT, {"model": "gpt", "input": TALK})
    assert (failed.status, failed.error["code"]) == (500, "server_error")


async def test_making_short_is_metered_as_what_it_is(scripted: Rig) -> None:
    """The record has the counts of the notes, under a name of its own."""
    scripted.engine.script = says(ChatDelta(content="notes"))
    scripted.records.clear()
    await compacted(scripted, input=TALK)
    record = await scripted.recorded()
    assert (record.operation, record.deployment) == ("Responses_Compact", "gpt")
    assert (record.prompt_tokens, record.completion_tokens) == (3, 4)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"model": "gpt"}, "missing_required_parameter", "input"),
        ({"input": "hello"}, "missing_required_parameter", "model"),
        ({"model": "gpt", "input": "hello", "store": True}, "unknown_parameter", "store"),
        (
            {"model": "gpt", "previous_response_id": "resp_none"},
            "previous_response_not_found",
            "previous_response_id",
        ),
        (
            {"model": "gpt", "input": [{"type": "compaction"}]},
            "missing_required_parameter",
            "input[0].encrypted_content",
        ),
    ],
    ids=["nothing", "no model", "unknown", "absent", "unsealed"],
)
async def test_what_is_refused(scripted: Rig, body: Any, code: str, param: str) -> None:  # noqa: ANN401 - any JSON
    """With the parameter at fault."""
    refused = await scripted.send("POST", COMPACT, body)
    assert refused.status == 400, refused.body
    assert (refused.error["code"], refused.error["param"]) == (code, param)


async def test_instructions_stay_in_force_with_their_files(scripted: Rig) -> None:
    """Read anew each time: the item names them."""
    form = b"\r\n".join(
        (
            b"--b",
            b'content-disposition: form-data; name="purpose"',
            b"",
            b"user_data",
            b"--b",
            b'content-disposition: form-data; name="file"; filename="rules.txt"',
            b"content-type: text/plain",
            b"",
            b"Be brief.",
            b"--b--",
            b"",
        )
    )
    headers = [("content-type", "multipart/form-data; boundary=b")]
    file = (await scripted.send("POST", "/openai/v1/files", form, headers=headers)).json()
    scripted.engine.script = says(ChatDelta(content="notes"))
    rules = {"role": "developer", "content": [{"type": "input_file", "file_id": file["id"]}]}
    made = await compacted(scripted, input=[rules, *TALK[1:]])
    assert (await go_on(scripted, made["output"])).status == 200
    told = str(scripted.engine.asked[-1].messages[0].content)
    assert "rules.txt" in told
    assert "base64" in told
