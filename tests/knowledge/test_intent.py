"""Which queries a question becomes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from linarite.domain.chat import ChatAsk
from linarite.domain.errors import ServiceUnavailable
from linarite.domain.principal import Principal
from linarite.knowledge.asker import Asker
from linarite.knowledge.intent import queries_of

pytestmark = pytest.mark.anyio
ASKER = Asker("/accounts/a", Principal(kind="Key", name="key1"), None, "gpt", "")
FIRST, SECOND = "How long is a leave?", "And for parents?"


def turns(*texts: str) -> Any:  # noqa: ANN401 - messages
    """A conversation, its user first."""
    said = [
        {"role": ("user", "assistant")[at % 2], "content": each} for at, each in enumerate(texts)
    ]
    return msgspec.convert({"messages": said}, ChatAsk).messages


class Writer:
    """A deployment that answers with a content, or fails."""

    def __init__(self, content: str = "", status: int = 200) -> None:
        self.content, self.status = content, status
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, asker: Asker, body: bytes) -> tuple[int, bytes]:
        """The answer."""
        assert asker is ASKER
        self.asked.append(msgspec.json.decode(body))
        if not self.status:
            raise ServiceUnavailable("nobody is there")
        message = {"choices": [{"message": {"content": self.content}}]}
        return self.status, msgspec.json.encode(message)


async def test_a_first_question_is_its_own_query() -> None:
    """Nobody is asked; without a question there is none."""
    writer = Writer()
    assert await queries_of(turns(FIRST), None, ASKER, writer) == [FIRST]
    assert await queries_of(turns(" "), None, ASKER, writer) == []
    assert writer.asked == []


async def test_what_follows_is_put_into_words_of_its_own() -> None:
    """By the deployment, which sees what was said; the question itself is searched for too."""
    writer = Writer('{"queries": ["leave of parents", "parental leave", "children"]}')
    asked = turns(FIRST, "30 days.", SECOND)
    found = await queries_of(asked, None, ASKER, writer)
    assert found == ["leave of parents", "parental leave", SECOND]
    assert await queries_of(asked, 1, ASKER, writer) == ["leave of parents"]
    told = writer.asked[0]
    assert told["model"] == "gpt"
    assert (
        "User: How long is a leave?\nAssistant: 30 days.\nUser: And for parents?"
        in (told["messages"][1]["content"])
    )


@pytest.mark.parametrize(
    "writer",
    [
        None,
        Writer(status=0),
        Writer("{}", status=429),
        Writer("no JSON"),
        Writer("[]"),
        Writer('{"queries": 3}'),
        Writer('{"queries": [1, "", null]}'),
    ],
)
async def test_without_a_writer_both_questions_are_searched_for(writer: Writer | None) -> None:
    """Whatever went wrong: chat goes on."""
    found = await queries_of(turns(FIRST, "30 days.", SECOND), None, ASKER, writer)
    assert found == [f"{FIRST} {SECOND}", SECOND]
