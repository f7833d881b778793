"""Batches, by the official clients."""

from __future__ import annotations

import codecs
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
from openai import APIStatusError, BadRequestError, NotFoundError

from tests.contract.sdk.conftest import client_of
from tests.serving import serving
from tests.webhook_receiver import SECRET, webhook_receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI
    from openai.types import Batch

    from tests.serving import Server
    from tests.webhook_receiver import Receiver

SETTINGS = """
[batches]
requests_max = 40

[limits]
body_bytes_max = 20000

[[deployments]]
name = "later"
model = "gpt-4o"
model_version = "2024-11-20"
sku = "GlobalBatch"
instance = "simulated"

[[deployments]]
name = "few"
model = "gpt-4o"
sku = "DataZoneBatch"
capacity = 1
instance = "simulated"

[[deployments]]
name = "slow"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "slow"

[[deployments]]
name = "soon"
model = "gpt-4o"
instance = "slow"

[[deployments]]
name = "now"
model = "gpt-4o"
instance = "simulated"

[[deployments]]
name = "vectors"
model = "text-embedding-3-small"
sku = "GlobalBatch"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, parallel_requests = 4 }

[instances.slow]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, parallel_requests = 2, time_to_first_token_ms = 200 }
"""
PATIENCE_S = 30.0
DAY_S = 86_400
CHAT = "/v1/chat/completions"


def line(number: object, body: dict[str, Any] | None = None, **more: object) -> str:
    """A line that asks for a chat."""
    asked = {"model": "later", "messages": [{"role": "user", "content": "Hi."}], "max_tokens": 3}
    request = {"custom_id": f"t-{number}", "method": "POST", "url": CHAT, "body": asked}
    return json.dumps(request | {"body": asked | (body or {})} | more)


def lines(count: int, **body: object) -> str:
    """So many of them."""
    return "\n".join(line(number, body) for number in range(count))


class Ended(NamedTuple):
    """A batch that is over, and the lines of its two files."""

    batch: Batch
    output: list[dict[str, Any]]
    errors: list[dict[str, Any]]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Who is told how batches end."""
    with webhook_receiver() as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Server]:
    """One with deployments of several types."""
    told = f'[webhooks.batches]\nurl = "{receiver.url}"\nsecret = "{SECRET}"\n'
    told += 'events = ["batch.*"]\n'
    yield from serving(tmp_path_factory.mktemp("batches"), SETTINGS + told)


@pytest.fixture(scope="module", params=["dated", "v1"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[OpenAI]:
    """Each dialect's."""
    with client_of(server, request.param) as made:
        yield made


def begun(client: OpenAI, text: str | bytes, endpoint: Any = CHAT, **more: Any) -> Batch:  # noqa: ANN401 - what the client takes
    """A new batch of a file."""
    content = text.encode() if isinstance(text, str) else text
    file = client.files.create(file=("asked.jsonl", content), purpose="batch")
    return client.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h", **more
    )


def ended(client: OpenAI, batch: Batch) -> Ended:
    """The same once it is over."""
    deadline = time.monotonic() + PATIENCE_S
    while batch.status in {"validating", "in_progress", "finalizing", "cancelling"}:
        assert time.monotonic() < deadline, batch
        time.sleep(0.03)
        batch = client.batches.retrieve(batch.id)
    files = [batch.output_file_id, batch.error_file_id]
    output, errors = (
        [json.loads(each) for each in client.files.content(file).text.splitlines()] if file else []
        for file in files
    )
    return Ended(batch, output, errors)


def test_a_batch_lives(client: OpenAI) -> None:
    """Uploaded, made, polled, its files read: each line has its answer."""
    made = begun(client, lines(25), metadata={"for": "a test"})
    assert (made.object, made.endpoint, made.completion_window) == ("batch", CHAT, "24h")
    assert made.metadata == {"for": "a test"}
    assert made.expires_at == made.created_at + DAY_S
    batch, output, errors = ended(client, made)
    assert (batch.status, batch.errors) == ("completed", None)
    assert batch.request_counts is not None
    assert batch.request_counts.model_dump() == {"total": 25, "completed": 25, "failed": 0}
    assert batch.completed_at is not None
    assert batch.completed_at >= made.created_at
    assert batch.model == "gpt-4o-2024-11-20"
    assert errors == []
    assert {each["custom_id"] for each in output} == {f"t-{number}" for number in range(25)}
    first = output[0]
    assert (first["response"]["status_code"], first["error"]) == (200, None)
    assert first["id"].startswith("batch_req_")
    body = first["response"]["body"]
    assert (body["object"], body["usage"]["completion_tokens"]) == ("chat.completion", 3)
    assert batch.usage is not None
    assert batch.usage.output_tokens == 75
    assert batch.output_file_id is not None
    kept = client.files.retrieve(batch.output_file_id)
    assert (kept.purpose, kept.filename) == ("batch_output", f"{batch.id}_output.jsonl")
    assert batch.error_file_id is not None
    assert client.files.retrieve(batch.error_file_id).bytes == 0


def test_what_a_line_is_refused_is_in_the_error_file(client: OpenAI) -> None:
    """With status and body, as a call of its own would have been told."""
    bad = line("bad", {"temperature": 9})
    text = codecs.BOM_UTF8 + f"{line(1)}\r\n\r\n{bad}\n{line(2)}".encode()
    batch, output, errors = ended(client, begun(client, text, endpoint="/chat/completions"))
    assert batch.request_counts is not None
    assert (batch.status, batch.request_counts.failed) == ("completed", 1)
    assert sorted(each["custom_id"] for each in output) == ["t-1", "t-2"]
    (refused,) = errors
    assert (refused["custom_id"], refused["error"]) == ("t-bad", None)
    assert refused["response"]["status_code"] == 400
    assert refused["response"]["body"]["error"]["param"] == "temperature"


def test_embeddings(client: OpenAI) -> None:
    """Another endpoint, on its own deployment."""
    body = {"model": "vectors", "input": "Hi.", "encoding_format": "float"}
    asked = {"custom_id": "one", "method": "POST", "url": "/v1/embeddings", "body": body}
    made = begun(client, json.dumps(asked), endpoint="/v1/embeddings")
    batch, (answer,), _ = ended(client, made)
    assert batch.status == "completed"
    assert answer["response"]["body"]["data"][0]["object"] == "embedding"


def test_responses(server: Server) -> None:
    """Those that are stored can be had by their ids."""
    body = {"model": "later", "input": "Hi.", "max_output_tokens": 16}
    asked = {"custom_id": "one", "method": "POST", "url": "/v1/responses", "body": body}
    with client_of(server, "v1") as client:
        made = begun(client, json.dumps(asked), endpoint="/v1/responses")
        batch, (answer,), _ = ended(client, made)
        assert batch.status == "completed"
        told = answer["response"]["body"]
        assert client.responses.retrieve(told["id"]).output_text
        assert batch.usage is not None
        assert batch.usage.output_tokens == 16


def test_people_come_first(server: Server) -> None:
    """Who waits for an answer has it while the batch on the same instance goes on."""
    with client_of(server, "v1") as client:
        made = begun(client, lines(30, model="slow"))
        while client.batches.retrieve(made.id).status == "validating":
            time.sleep(0.02)
        hello: Any = [{"role": "user", "content": "Hi."}]
        for _ in range(2):
            client.chat.completions.create(model="soon", messages=hello, max_tokens=2)
        seen = client.batches.retrieve(made.id)
        assert seen.status == "in_progress"
        client.batches.cancel(made.id)


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        ("", "empty_file", None),
        ("\n \n", "empty_file", None),
        (f'{line(1)}\n{{"custom_id": \n', "invalid_json_line", 2),
        (f"{line(1)}\n{'{' + ' ' * 30_000 + '}'}", "invalid_json_line", 2),
        (lines(41), "too_many_tasks", None),
        (f"{line(1)}\n\n{line(1)}", "duplicate_custom_id", 3),
        (line(1, url="/v1/embeddings"), "url_mismatch", 1),
        (line(1, {"model": "absent"}), "model_not_found", 1),
        (line(1, {"model": None}), "model_not_found", 1),
        (f"{line(1)}\n{line(2, {'model': 'few'})}", "model_mismatch", 2),
        (line(1, {"stream": True}), "invalid_request", 1),
        (line(1, method="GET"), "invalid_request", 1),
        (json.dumps({"method": "POST", "url": CHAT, "body": {}}), "invalid_request", 1),
        (line(1, custom_id=7), "invalid_request", 1),
        (line(1, {"model": "now"}), "invalid_request", None),
        (line(1, {"model": "few", "stop": "x" * 5000}), "token_limit_exceeded", None),
    ],
)
def test_what_is_wrong_with_a_file(
    client: OpenAI, text: str, code: str, number: int | None
) -> None:
    """The batch fails before any of it is answered, and says where and why."""
    batch, output, errors = ended(client, begun(client, text))
    assert (batch.status, output, errors) == ("failed", [], [])
    assert batch.failed_at is not None
    assert batch.errors is not None
    assert batch.errors.data is not None
    (told,) = batch.errors.data
    assert (told.code, told.line) == (code, number)
    assert told.message


def test_tokens_are_held_until_a_batch_has_ended(client: OpenAI) -> None:
    """What one has enqueued is not there for another, and then it is again."""
    filling = line(1, {"model": "few", "stop": "x" * 3000})
    assert ended(client, begun(client, filling)).batch.status == "completed"
    assert ended(client, begun(client, filling)).batch.status == "completed"


def test_every_error_is_told(client: OpenAI) -> None:
    """Up to a hundred."""
    batch, _, _ = ended(client, begun(client, "\n".join("{" for _ in range(30))))
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert [each.line for each in batch.errors.data] == list(range(1, 31))


def test_a_batch_is_cancelled(client: OpenAI) -> None:
    """What was answered is kept, and of everything else it is said that it was not."""
    made = begun(client, lines(30, model="slow"))
    deadline = time.monotonic() + PATIENCE_S
    while True:
        seen = client.batches.retrieve(made.id)
        assert seen.request_counts is not None
        if seen.request_counts.completed:  # it moves while it runs
            break
        assert time.monotonic() < deadline
        time.sleep(0.03)
    assert client.batches.cancel(made.id).status == "cancelling"
    batch, output, errors = ended(client, made)
    assert batch.status == "cancelled"
    assert batch.cancelled_at is not None
    assert 1 <= len(output) < 30
    assert {each["error"]["code"] for each in errors} == {"batch_cancelled"}
    assert {each["response"] for each in errors} == {None}
    names = [each["custom_id"] for each in output + errors]
    assert sorted(names) == sorted(f"t-{number}" for number in range(30))
    with pytest.raises(APIStatusError, match="Cannot cancel a batch with status") as refused:
        client.batches.cancel(ended(client, begun(client, lines(1))).batch.id)
    assert refused.value.status_code == 409


def test_lists_come_in_parts(client: OpenAI) -> None:
    """The newest first; the client follows them by itself while others are made."""
    made = [begun(client, lines(1)).id for _ in range(5)]
    page = client.batches.list(limit=2)
    assert ([each.id for each in page.data], page.has_more) == (made[:2:-1], True)
    begun(client, lines(1))
    following = page.get_next_page()
    assert [each.id for each in following.data] == made[2:0:-1]
    everything = [each.id for each in client.batches.list(limit=3)]
    assert len(everything) == len(set(everything))
    assert set(made) <= set(everything)


def test_lists_are_filtered_and_ordered(client: OpenAI) -> None:
    """As Azure's previews have it, over the parts of the list; what can't be read is refused."""
    good = [ended(client, begun(client, lines(1)))[0] for _ in range(3)]
    bad, _, _ = ended(client, begun(client, ""))

    def ids(said: str, **more: str) -> list[str]:
        query = {"$filter": said, **more}
        return [each.id for each in client.batches.list(limit=2, extra_query=query)]

    since = f"created_at ge {good[0].created_at}"
    done = f"status eq 'Completed' and {since}"
    newest_first = [each.id for each in reversed(good)]
    found = ids(done)
    assert [each for each in found if each in newest_first] == newest_first
    assert bad.id not in found
    assert [each for each in ids(done, **{"$orderby": "created_at asc"}) if each in found] == [
        *reversed(found)
    ]
    assert bad.id in ids(f"(status eq 'failed' or status eq 'InProgress') and {since}")
    assert ids(f"created_at lt {good[0].created_at - 10_000}") == []
    for query, words in (
        ({"$filter": "endpoint eq 'x'"}, "'endpoint' is none of created_at, status"),
        ({"$filter": "status eq"}, "filter"),
        ({"$orderby": "status"}, "created_at asc"),
    ):
        with pytest.raises(BadRequestError, match=words):
            client.batches.list(extra_query=query)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"input_file_id": "file-absent"}, "does not exist"),
        ({"endpoint": "/v1/images"}, "Supported values are: '/v1/chat/completions'"),
        ({"completion_window": "1h"}, "'24h'"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}}, "between 1209600 and"),
        ({"output_expires_after": {"anchor": "now", "seconds": 1_300_000}}, "'created_at'"),
        ({"metadata": {"k" * 65: "v"}}, "metadata"),
    ],
)
def test_what_is_refused(client: OpenAI, more: dict[str, Any], words: str) -> None:
    """At once, with the reason."""
    file = client.files.create(file=("asked.jsonl", lines(1).encode()), purpose="batch")
    asked: Any = {"input_file_id": file.id, "endpoint": CHAT, "completion_window": "24h"} | more
    with pytest.raises(BadRequestError, match=words):
        client.batches.create(**asked)


def test_a_file_for_something_else(client: OpenAI) -> None:
    """Is no batch's."""
    file = client.files.create(file=("asked.jsonl", lines(1).encode()), purpose="assistants")
    with pytest.raises(BadRequestError, match="purpose 'assistants'"):
        client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")


def test_absent_ones(client: OpenAI) -> None:
    """Are not found, whatever is asked of them."""
    for call in (client.batches.retrieve, client.batches.cancel):
        with pytest.raises(NotFoundError):
            call("batch_absent")


def test_its_files_expire(client: OpenAI) -> None:
    """When it was asked for."""
    lives: Any = {"anchor": "created_at", "seconds": 14 * DAY_S}
    batch, _, _ = ended(client, begun(client, lines(1), output_expires_after=lives))
    for file_id in (batch.output_file_id, batch.error_file_id):
        assert file_id is not None
        kept = client.files.retrieve(file_id)
        assert kept.expires_at == kept.created_at + 14 * DAY_S


def test_a_file_that_goes_meanwhile(client: OpenAI) -> None:
    """Its batch ends, and everything has an end."""
    made = begun(client, lines(30, model="slow"))
    client.files.delete(made.input_file_id)
    batch, output, errors = ended(client, made)
    # Those who hold it open may read it to its end.
    assert batch.status in {"failed", "completed"}
    assert len(output) + len(errors) <= 30


@pytest.mark.parametrize("limit", ["0", "x", "101", "9" * 5000])
def test_limits_of_lists_that_are_none(server: Server, limit: str) -> None:
    """Are refused, whatever their length."""
    headers = {"api-key": server.key}
    answer = httpx.get(f"{server.endpoint}/openai/v1/batches?limit={limit}", headers=headers)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(("dialect", "status", "code"), [("v1", 201, None), ("", 200, "notFound")])
def test_answers_of_each_dialect(server: Server, dialect: str, status: int, code: object) -> None:
    """The statuses and codes of Azure's documents."""
    query = "" if dialect else "?api-version=2024-10-21"
    root = f"{server.endpoint}/openai/{dialect}".rstrip("/")
    with httpx.Client(headers={"api-key": server.key}) as http:
        form = {"purpose": "batch"}
        files = {"file": ("a.jsonl", lines(1).encode())}
        file_id = http.post(f"{root}/files{query}", data=form, files=files).json()["id"]
        asked = {"input_file_id": file_id, "endpoint": CHAT, "completion_window": "24h"}
        assert http.post(f"{root}/batches{query}", json=asked).status_code == status
        absent = http.get(f"{root}/batches/batch_absent{query}")
        assert (absent.status_code, absent.json()["error"]["code"]) == (404, code)


def test_webhooks_are_told(server: Server, receiver: Receiver) -> None:
    """Once for each batch, how it ended."""
    with client_of(server, "v1") as client:
        batch, _, _ = ended(client, begun(client, lines(2), metadata={"who": "me"}))
        failed, _, _ = ended(client, begun(client, ""))
        told = {batch.id: "batch.completed", failed.id: "batch.failed"}
        deadline = time.monotonic() + PATIENCE_S
        while not told.keys() <= {each.json["data"]["id"] for each in receiver.received}:
            assert time.monotonic() < deadline
            time.sleep(0.03)
    mine = [each for each in receiver.received if each.json["data"]["id"] in told]
    assert all(each.is_signed_with(SECRET) for each in mine)
    assert {each.json["data"]["id"]: each.json["type"] for each in mine} == told
    assert len(mine) == 2
    (good,) = (each.json["data"] for each in mine if each.json["type"] == "batch.completed")
    assert good["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    assert good["output_file_id"] == batch.output_file_id
    assert good["metadata"] == {"who": "me"}
