"""`kill -9` while a batch runs: no line's result is lost, and none is there twice."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.contract.sdk.conftest import client_of
from tests.faults.processes import until
from tests.serving import start_server, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from openai import OpenAI
    from openai.types import Batch

SETTINGS = """
[files]
sealed = "always"

[[deployments]]
name = "later"
model = "gpt-4o"
sku = "GlobalBatch"
instance = "simulated"

[instances.simulated]
engine = "simulator"
model = "gpt-4o"
options = { seed = 1, parallel_requests = 8, time_to_first_token_ms = 30 }
"""
CHAT = "/v1/chat/completions"
LINES = 400
KILLS = 4
PATIENCE_S = 60.0


def content() -> bytes:
    """Lines of which every tenth is refused."""

    def line(number: int) -> str:
        body = {
            "model": "later",
            "messages": [{"role": "user", "content": f"{number}"}],
            "max_tokens": 2 if number % 10 else 0,
        }
        asked = {"custom_id": f"t-{number}", "method": "POST", "url": CHAT, "body": body}
        return json.dumps(asked)

    return "\n".join(map(line, range(LINES))).encode()


def names(client: OpenAI, file_id: str | None) -> list[str]:
    """The custom ids of a file's lines."""
    assert file_id is not None
    text = client.files.content(file_id).text
    return [json.loads(each)["custom_id"] for each in text.splitlines()]


def over(client: OpenAI, batch_id: str) -> Batch:
    """The batch once it has ended."""
    deadline = time.monotonic() + PATIENCE_S
    while (batch := client.batches.retrieve(batch_id)).status not in {"completed", "failed"}:
        assert time.monotonic() < deadline, batch
        time.sleep(0.05)
    return batch


@pytest.mark.slow
def test_every_line_has_one_result(tmp_path: Path) -> None:
    """Whenever the server dies, also while files are written, and however often."""
    chance = random.Random(7)
    server = start_server(tmp_path, SETTINGS)
    with client_of(server, "v1") as client:
        file = client.files.create(file=("asked.jsonl", content()), purpose="batch")
        made = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    done: list[int] = []
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 0.5))
        server.kill()
        on_disk = [each.read_bytes() for each in (tmp_path / "batches").glob("*")]
        assert not any(b"custom_id" in each for each in on_disk)
        server = start_server(tmp_path, SETTINGS)
        with client_of(server, "v1") as client:
            counts = client.batches.retrieve(made.id).request_counts
            assert counts is not None
            done.append(counts.completed + counts.failed)
    with stopped(server), client_of(server, "v1") as client:
        batch = over(client, made.id)
        assert (batch.status, batch.errors) == ("completed", None)
        assert batch.request_counts is not None
        assert batch.request_counts.model_dump() == {
            "total": LINES,
            "completed": LINES * 9 // 10,
            "failed": LINES // 10,
        }
        answered, refused = (
            names(client, each) for each in (batch.output_file_id, batch.error_file_id)
        )
        assert sorted(answered + refused) == sorted(f"t-{number}" for number in range(LINES))
        assert set(refused) == {f"t-{number}" for number in range(0, LINES, 10)}
        files = [each for each in client.files.list() if each.purpose == "batch_output"]
        assert {each.id for each in files} == {batch.output_file_id, batch.error_file_id}
        assert done == sorted(done)  # what was counted stays counted
        assert done[0] < LINES
        until(lambda: not list((tmp_path / "batches").iterdir()))  # with the end of its job


def test_a_batch_that_is_cancelled_stays_so(tmp_path: Path) -> None:
    """Though the server dies at once."""
    server = start_server(tmp_path, SETTINGS)
    with client_of(server, "v1") as client:
        file = client.files.create(file=("asked.jsonl", content()), purpose="batch")
        made = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
        time.sleep(0.2)
        assert client.batches.cancel(made.id).status == "cancelling"
        server.kill()
    with stopped(start_server(tmp_path, SETTINGS)) as again, client_of(again, "v1") as client:
        deadline = time.monotonic() + PATIENCE_S
        while (batch := client.batches.retrieve(made.id)).status == "cancelling":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert batch.status == "cancelled"
        answered, others = (
            names(client, each) for each in (batch.output_file_id, batch.error_file_id)
        )
        assert sorted(answered + others) == sorted(f"t-{number}" for number in range(LINES))
