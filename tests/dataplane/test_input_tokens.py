"""What an input counts, told before it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from linarite.domain.errors import InvalidRequest
from tests.dataplane.rig import ABLE, ScriptedEngine, rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from linarite.domain.chat import ChatAsk
    from tests.dataplane.rig import Rig

pytestmark = pytest.mark.anyio

PATH = "/openai/v1/responses"
COUNT = f"{PATH}/input_tokens"


class CountingEngine(ScriptedEngine):
    """Counts ten tokens for each message, and refuses a question about nothing."""

    async def prompt_tokens(self, ask: ChatAsk) -> int:
        """See CountsPrompts."""
        if ask.messages[-1].content == "nothing":
            raise InvalidRequest("Nothing can't be counted.", param="messages[0].content")
        self.asked.append(ask)
        return 10 * len(ask.messages)


@pytest.fixture(scope="module")
async def counting() -> AsyncIterator[Rig]:
    """A server with an engine that counts, and has room for 50 tokens."""
    able = msgspec.structs.replace(ABLE, context_tokens=50)
    async with rig(CountingEngine(able=able)) as running:
        yield running


async def counted(running: Rig, **said: Any) -> int:  # noqa: ANN401 - fields of the body
    """What it counts."""
    answer = await running.send("POST", COUNT, {"model": "gpt"} | said)
    assert answer.status == 200, answer.body
    told = answer.json()
    assert told.keys() == {"object", "input_tokens"}
    assert told["object"] == "response.input_tokens"
    return int(told["input_tokens"])


async def test_everything_that_a_model_would_read_counts(counting: Rig) -> None:
    """Instructions, what it goes on from, and the input; nothing of it is answered or kept."""
    first = (await counting.send("POST", PATH, {"model": "gpt", "input": "one"})).json()
    answered = counting.engine.opened
    assert await counted(counting, input="two") == 10
    assert await counted(counting, input="two", instructions="Be kind.") == 20
    assert await counted(counting, input="two", previous_response_id=first["id"]) == 30
    assert await counted(counting, previous_response_id=first["id"]) == 20
    assert counting.engine.opened == answered


async def test_the_same_body_can_be_counted_and_then_asked(counting: Rig) -> None:
    """Also where it is to be streamed, kept, or made in the background."""
    for more in ({"stream": True}, {"background": True}, {"store": False}, {"temperature": 0.5}):
        assert await counted(counting, input="two", **more) == 10


async def test_truncation_is_counted_as_it_would_be_done(counting: Rig) -> None:
    """`auto` leaves out what an answer would leave out; `disabled` counts everything."""
    talk = [{"role": role, "content": "x"} for _ in range(4) for role in ("user", "assistant")]
    items = [*talk, {"role": "user", "content": "x"}]
    assert await counted(counting, input=items) == 90
    assert await counted(counting, input=items, truncation="auto") == 30


async def test_nothing_is_charged(counting: Rig) -> None:
    """The record has no tokens."""
    counting.records.clear()
    await counted(counting, input="two")
    record = await counting.recorded()
    assert (record.operation, record.deployment) == ("Responses_CountInputTokens", "gpt")
    assert (record.prompt_tokens, record.completion_tokens) == (0, 0)


async def test_an_engine_that_cannot_tell_says_so(server: Rig) -> None:
    """As a model that can't do an operation does."""
    refused = await server.send("POST", COUNT, {"model": "gpt", "input": "two"})
    assert (refused.status, refused.error["code"]) == (400, "OperationNotSupported")


async def test_what_cannot_be_read_is_named_as_it_was_sent(counting: Rig) -> None:
    """It stands in `input`: a request for a response has no `messages`."""
    refused = await counting.send("POST", COUNT, {"model": "gpt", "input": "nothing"})
    assert (refused.status, refused.error["param"]) == (400, "input")
    refused = await counting.send("POST", COUNT, {"model": "gpt"})
    assert (refused.status, refused.error["param"]) == (400, "input")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_their_names_are_no_ids(server: Rig, method: str) -> None:
    """A stored response can't be called so."""
    for name in ("compact", "input_tokens"):
        refused = await server.send(method, f"{PATH}/{name}")
        assert refused.status == 405
