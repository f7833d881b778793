"""Prompts of settings, named by requests for responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.errors import SetupError
from linarite.responses.options import PromptSettings
from linarite.responses.prompts import PromptBook
from tests.dataplane.rig import rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

PATH = "/openai/v1/responses"
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def declared(prompt_id: str, *messages: tuple[str, str], **more: str) -> PromptSettings:
    """One of the settings."""
    said = [{"role": role, "content": content} for role, content in messages]
    return msgspec.convert({"id": prompt_id, "messages": said} | more, PromptSettings)


BOOK = PromptBook(
    [
        declared("pmpt_help", ("system", "Old."), version="1"),
        declared(
            "pmpt_help",
            ("developer", "You help {{ who }}, and nobody but {{who}}."),
            ("user", "Look at {{picture}} first."),
            version="2",
        ),
        declared("pmpt_help", ("system", "Another's."), account="other"),
        declared("pmpt_plain", ("system", "Be brief.")),
    ]
)


@pytest.fixture(scope="module")
async def prompted() -> AsyncIterator[Rig]:
    """A server with prompts."""
    async with rig(prompts=BOOK, accounts=2) as running:
        yield running


async def asked(running: Rig, prompt: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the body
    """A response by a prompt."""
    body = {"model": "gpt", "prompt": prompt} | more
    answer = await running.send("POST", f"/linarite{PATH}", body)
    assert answer.status == 200, answer.body
    made: dict[str, Any] = answer.json()
    return made


def read(running: Rig) -> list[tuple[str, Any]]:
    """What the model was given last."""
    told: list[dict[str, Any]] = msgspec.to_builtins(running.engine.asked[-1].messages)
    return [(each["role"], each["content"]) for each in told]


async def test_its_messages_stand_before_the_input(prompted: Rig) -> None:
    """With what its variables stand for, texts and pictures; the response repeats its name."""
    picture = {"type": "input_image", "image_url": PIXEL}
    named = {"id": "pmpt_help", "variables": {"who": "Ada", "picture": picture}}
    made = await asked(prompted, named, input="And?")
    assert made["prompt"] == named | {"version": None}
    first, second, third = read(prompted)
    assert first == ("developer", "You help Ada, and nobody but Ada.")
    assert [part["type"] for part in second[1]] == ["text", "image_url", "text"]
    assert second[1][1]["image_url"]["url"] == PIXEL
    assert third == ("user", "And?")


async def test_a_text_may_come_as_a_part(prompted: Rig) -> None:
    """It is the same as the text; a version may be named; no input is needed."""
    part = {"type": "input_text", "text": "the lamp"}
    values = {"who": "Bo", "picture": part}
    await asked(prompted, {"id": "pmpt_help", "version": "2", "variables": values})
    assert read(prompted)[1] == ("user", "Look at the lamp first.")
    await asked(prompted, {"id": "pmpt_help", "version": "1"}, input="x")
    assert read(prompted) == [("system", "Old."), ("user", "x")]


async def test_it_is_not_kept(prompted: Rig) -> None:
    """What goes on from the response is told it by whoever names it again."""
    made = await asked(prompted, {"id": "pmpt_plain"}, input="one")
    path = f"/linarite{PATH}/{made['id']}/input_items"
    kept = (await prompted.send("GET", path)).json()["data"]
    assert [each["content"][0]["text"] for each in kept] == ["one"]
    more = {"previous_response_id": made["id"], "input": "two"}
    await asked(prompted, {"id": "pmpt_plain"}, **more)
    assert [text for _, text in read(prompted)] == ["Be brief.", "one", "Hello there!", "two"]


async def test_an_account_may_have_its_own(prompted: Rig) -> None:
    """Which others do not see, and which comes before everybody's."""
    body = {"model": "theirs", "prompt": {"id": "pmpt_help"}, "input": "x"}
    at = "/other/openai/v1/responses"
    answer = await prompted.send("POST", at, body, key=prompted.other_keys.key1)
    assert answer.status == 200, answer.body
    assert read(prompted)[0] == ("system", "Another's.")


@pytest.mark.parametrize(
    ("prompt", "status", "words"),
    [
        ({"id": "pmpt_none"}, 404, "Prompt with id 'pmpt_none' not found"),
        ({"id": "pmpt_help", "version": "9"}, 404, "and version '9' not found"),
        ({"id": "pmpt_help"}, 400, "Missing prompt variables: picture, who."),
        (
            {"id": "pmpt_plain", "variables": {"who": "x"}},
            400,
            "Unknown prompt variables: who.",
        ),
        ({"id": "pmpt_plain", "of": 1}, 400, "Unknown parameter: 'prompt.of'"),
        (
            {"id": "pmpt_help", "variables": {"who": "x", "picture": {"type": "input_image"}}},
            400,
            "prompt[1].content[1]",
        ),
        (
            {"id": "pmpt_help", "variables": {"who": "x", "picture": {"type": "input_text"}}},
            400,
            "needs a string as 'text'",
        ),
    ],
)
async def test_what_is_refused(prompted: Rig, prompt: Any, status: int, words: str) -> None:  # noqa: ANN401 - any JSON
    """In words that say what is missing."""
    body = {"model": "gpt", "prompt": prompt, "input": "x"}
    refused = await prompted.send("POST", f"/linarite{PATH}", body)
    assert (refused.status, words in refused.error["message"]) == (status, True), refused.body


def test_a_version_is_there_once() -> None:
    """Whoever writes it twice is told when the server starts."""
    twice = [declared("pmpt_x", ("user", "a")), declared("pmpt_x", ("user", "b"))]
    with pytest.raises(SetupError, match="'pmpt_x' has version '1' twice"):
        PromptBook(twice)
