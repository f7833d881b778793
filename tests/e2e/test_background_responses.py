"""Responses in the background: made while nobody waits, followed, cancelled, over a death."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from openai import AzureOpenAI, BadRequestError, NotFoundError, OpenAI, RateLimitError

from tests.e2e.test_stored_files import wait_for
from tests.serving import SIMULATED, serving, start_server, stopped
from tests.webhook_receiver import SECRET, webhook_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai.types.responses import Response

    from tests.serving import Server
    from tests.webhook_receiver import Receiver

SLOW = SIMULATED.replace("seed = 1", "seed = 1, tokens_per_second = 60.0")
STORY: Any = {"model": "gpt-4o", "input": "Tell a long story.", "background": True}
UNDER_WAY = {"queued", "in_progress"}


def client_of(server: Server) -> OpenAI:
    """The official client, made to check every answer against its types."""
    return OpenAI(
        base_url=f"{server.endpoint}/openai/v1/",
        api_key=server.key,
        max_retries=0,
        _strict_response_validation=True,
    )


def told_to(receiver: Receiver) -> str:
    """Settings that have it told how responses end."""
    return (
        f'\n[webhooks.ops]\nurl = "{receiver.url}"\nsecret = "{SECRET}"\nevents = ["response.*"]\n'
    )


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Whom the server tells how responses end."""
    with webhook_receiver() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Server]:
    """One whose model takes its time, and on which few may wait."""
    settings = SLOW + told_to(receiver)
    settings += "\n[responses]\nbackground_max = 3\nbackground_wait_s = 1.0\n"
    yield from serving(tmp_path_factory.mktemp("background"), settings)


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    """On `/openai/v1/`."""
    with client_of(server) as made:
        yield made


def ended(client: OpenAI, response_id: str) -> Response:
    """A response once it has ended."""
    wait_for(lambda: client.responses.retrieve(response_id).status not in UNDER_WAY)
    return client.responses.retrieve(response_id)


def test_it_is_made_while_nobody_waits(client: OpenAI, server: Server) -> None:
    """Queued, in progress, completed; counted and recorded as any other."""
    made = client.responses.create(**STORY)
    assert (made.status, made.background, made.output) == ("queued", True, [])
    assert client.responses.retrieve(made.id).status in {*UNDER_WAY, "completed"}
    done = ended(client, made.id)
    assert done.status == "completed"
    assert done.output_text
    assert done.usage is not None
    assert done.created_at == made.created_at
    after = client.responses.create(model="gpt-4o", input="x", previous_response_id=made.id)
    assert after.usage is not None
    assert after.usage.input_tokens > done.usage.output_tokens
    assert client.responses.cancel(made.id).status == "completed", "too late, and no error"
    figures = httpx.get(f"{server.endpoint}/metrics", headers={"api-key": server.key}).text
    labels = 'account="linarite",deployment="gpt-4o"'
    assert f'linarite_requests_total{{{labels},operation="Responses_Create"' in figures
    total = done.usage.output_tokens + after.usage.output_tokens
    assert f'linarite_tokens_total{{{labels},type="completion"}} {total}\n' in figures


def test_webhooks_hear_of_each_end(client: OpenAI, receiver: Receiver) -> None:
    """Signed, and read by the official client; once each, whatever the end."""
    done = client.responses.create(**STORY)
    short = client.responses.create(**STORY, max_output_tokens=16)
    stopped_one = client.responses.create(**STORY)
    client.responses.cancel(stopped_one.id)
    failed = client.responses.create(**STORY | {"input": "word " * 200_000})
    wanted = {
        done.id: "response.completed",
        short.id: "response.incomplete",
        stopped_one.id: "response.cancelled",
        failed.id: "response.failed",
    }
    wait_for(lambda: wanted.keys() <= {each.json["data"]["id"] for each in receiver.received})
    got = [each for each in receiver.received if each.json["data"]["id"] in wanted]
    events: list[Any] = [client.webhooks.unwrap(e.body, e.headers, secret=SECRET) for e in got]
    assert {each.data.id: each.type for each in events} == wanted
    assert len(events) == len(wanted) == len({each.id for each in events})
    assert all(each.object == "event" and each.created_at > 0 for each in events)


def test_its_events_are_followed_from_any_of_them(client: OpenAI) -> None:
    """As they come, and again after the end: the same, each once."""
    seen: list[Any] = []
    with client.responses.create(**STORY, stream=True) as stream:
        for event in stream:
            seen.append(event)
            if len(seen) == 9:
                break
    assert [each.type for each in seen[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    made = seen[0].response.id
    seen += client.responses.retrieve(made, stream=True, starting_after=8)
    assert [each.sequence_number for each in seen] == list(range(len(seen)))
    assert seen[-1].type == "response.completed"
    assert list(client.responses.retrieve(made, stream=True)) == seen
    told = "".join(each.delta for each in seen if each.type == "response.output_text.delta")
    assert client.responses.retrieve(made).output_text == told
    assert list(client.responses.retrieve(made, stream=True, starting_after=len(seen))) == []
    with pytest.raises(BadRequestError):
        client.responses.retrieve(made, stream=True, starting_after=-5)


def test_it_is_cancelled(client: OpenAI) -> None:
    """At once, whoever asks how often; who follows it is let go."""
    with client.responses.create(**STORY, stream=True) as stream:
        events = iter(stream)
        made: Any = next(events)
        assert client.responses.cancel(made.response.id).status == "cancelled"
        assert list(events)[-1].type != "response.completed"
    kept = client.responses.retrieve(made.response.id)
    assert kept.status == "cancelled"
    assert client.responses.cancel(kept.id).status == "cancelled"
    with pytest.raises(BadRequestError, match="is cancelled; only one that was completed"):
        client.responses.create(model="gpt-4o", input="x", previous_response_id=kept.id)
    plain = client.responses.create(**STORY)
    with pytest.raises(BadRequestError, match="can't be streamed"):
        client.responses.retrieve(plain.id, stream=True)
    client.responses.delete(plain.id)
    with pytest.raises(NotFoundError):
        client.responses.retrieve(plain.id)


def test_only_so_many_wait(client: OpenAI) -> None:
    """Then 429; those that are cancelled make room."""
    waiting = [client.responses.create(**STORY) for _ in range(3)]
    with pytest.raises(RateLimitError, match=r"responses\.background_max"):
        client.responses.create(**STORY)
    for each in waiting:
        client.responses.cancel(each.id)
    client.responses.delete(client.responses.create(**STORY).id)


def test_what_cannot_be_made_has_failed(client: OpenAI, server: Server) -> None:
    """With the reason; what is wrong with the request is told at once."""
    with pytest.raises(NotFoundError):
        client.responses.create(**STORY | {"model": "absent"})
    with pytest.raises(BadRequestError):
        client.responses.create(**STORY | {"previous_response_id": "resp_0"})
    long = client.responses.create(**STORY | {"input": "word " * 200_000})
    failed = ended(client, long.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert "maximum context length" in failed.error.message
    with AzureOpenAI(
        azure_endpoint=server.endpoint,
        api_key=server.key,
        api_version="2025-04-01-preview",
        max_retries=0,
        _strict_response_validation=True,
    ) as dated:
        made = dated.responses.create(**STORY)
        assert dated.responses.cancel(made.id).status == "cancelled"


def test_a_conversation_has_it_once_it_is_made(client: OpenAI) -> None:
    """Input and output, when it has ended."""
    talk = client.conversations.create()
    made = client.responses.create(**STORY, conversation=talk.id)
    assert list(client.conversations.items.list(talk.id)) == []
    done = ended(client, made.id)
    items = [each.id for each in client.conversations.items.list(talk.id, order="asc")]
    assert len(items) == 2
    assert items[1] == done.output[0].id


def test_a_killed_server_goes_on_with_it(tmp_path: Path) -> None:
    """What was queued or in progress is made; a stream that had told something has failed.

    Who follows on is told the same events as before, and one more.
    """
    with webhook_receiver() as receiver:
        go_on_after_a_kill(tmp_path, SLOW + told_to(receiver))
        told = [each.json["data"]["id"] for each in receiver.wait_for(4)]
        ids = {each.headers["webhook-id"] for each in receiver.received}
    assert len(set(told)) == len(ids) == 4, "each end was told of, under one id"


def go_on_after_a_kill(tmp_path: Path, settings: str) -> None:
    """Kill a server that makes four responses, and see what becomes of them."""
    server = start_server(tmp_path, settings)
    with client_of(server) as client:
        plain = [client.responses.create(**STORY) for _ in range(3)]
        seen: list[Any] = []
        with client.responses.create(**STORY, stream=True) as stream:
            for event in stream:
                seen.append(event)
                if len(seen) == 8:
                    break
        server.kill()
    with stopped(start_server(tmp_path, settings)) as again, client_of(again) as client:
        for each in plain:
            assert ended(client, each.id).status == "completed"
        made = seen[0].response.id
        failed = ended(client, made)
        assert failed.status == "failed"
        followed: list[Any] = list(client.responses.retrieve(made, stream=True))
        assert followed[: len(seen)] == seen
        assert [each.sequence_number for each in followed] == list(range(len(followed)))
        assert followed[-1].type == "response.failed"


def test_a_stopped_server_leaves_it_to_the_next(tmp_path: Path) -> None:
    """However often: that is no fault of the response's."""
    server = start_server(tmp_path, SLOW)
    with client_of(server) as client:
        made = client.responses.create(**STORY)
        wait_for(lambda: client.responses.retrieve(made.id).status != "queued")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 8
    with stopped(start_server(tmp_path, SLOW)) as again, client_of(again) as client:
        assert ended(client, made.id).status == "completed"
